import { alterConfigs as table } from '../messages/33-alter-configs.js'
import { errorCode } from '../wire/errors.js'
import { alterResource, failed } from './config-resources.js'
import { handler } from './handler.js'

/** AlterConfigs v0 to v2: a topic's own configs become exactly those of the request. Brokers' configs are read-only. */
export const alterConfigs = handler(table, async (request, call) => ({
  throttleTimeMs: 0,
  responses: await Promise.all(
    request.resources.map(async (resource) => {
      const outcome = await alterResource(resource, request.validateOnly, call, () => {
        const empty = resource.configs.find((config) => config.value === null)
        if (empty !== undefined) return failed('INVALID_CONFIG', `${empty.name} has no value`)
        return Object.fromEntries(resource.configs.map(({ name, value }) => [name, value ?? '']))
      })
      const { resourceType, resourceName } = resource
      return {
        errorCode: errorCode(outcome.error),
        errorMessage: outcome.message,
        resourceType,
        resourceName,
      }
    }),
  ),
}))
