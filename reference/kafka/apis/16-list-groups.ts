import { listGroups as table } from '../messages/16-list-groups.js'
import { errorCode } from '../wire/errors.js'
import { coordinatorFault } from './faults.js'
import { handler } from './handler.js'

/**
 * ListGroups v0 to v5: the namespace's groups with members, and those that only have offsets. Filters are by name, in
 * any case.
 */
export const listGroups = handler(table, async (request, call) => {
  try {
    const groups = await call.broker.coordinator.list(call.namespace)
    return {
      errorCode: 0,
      groups: groups
        .filter(
          ({ phase, groupType }) =>
            passes(request.statesFilter, phase) && passes(request.typesFilter, groupType),
        )
        .map(({ phase, ...group }) => ({ ...group, groupState: phase })),
    }
  } catch (error) {
    return { errorCode: errorCode(coordinatorFault(error, call, 'groups could not be listed')), groups: [] }
  }
})

const passes = (filter: readonly string[], value: string) =>
  filter.length === 0 || filter.some((each) => each.toLowerCase() === value.toLowerCase())
