import type { PartReplacements } from '../broker.js'
import type { GroupCoordinator } from '../groups/coordinator.js'
import type { GroupStore } from '../groups/group-store.js'
import type { NextGenerationGroups } from '../groups/next-generation.js'
import type { GroupEvent, GroupReply, GroupState } from '../groups/step-state.js'
import { type Changes, changed } from './seams.js'

/** Another thing happens to a group than what did. */
export const groupEvents = (
  change: (event: GroupEvent, state: GroupState) => GroupEvent,
): PartReplacements => ({
  groupStep: (step) => (state, event, limits, nowMs) => step(state, change(event, state), limits, nowMs),
})

/** What of it happens at all. */
export const ignoredGroupEvents = (
  isIgnored: (event: GroupEvent, state: GroupState) => boolean,
): PartReplacements => ({
  groupStep: (step) => (state, event, limits, nowMs) =>
    isIgnored(event, state) ? [state, []] : step(state, event, limits, nowMs),
})

/** Changes what a group answers; `together` are all answers to one event. */
export const groupReplies = (
  change: (reply: GroupReply, together: readonly GroupReply[]) => GroupReply,
): PartReplacements => ({
  groupStep: (step) => (state, event, limits, nowMs) => {
    const [next, effects] = step(state, event, limits, nowMs)
    const together = effects.flatMap((effect) => (effect.type === 'reply' ? [effect.reply] : []))
    const others = effects.map((effect) =>
      effect.type === 'reply' ? { ...effect, reply: change(effect.reply, together) } : effect,
    )
    return [next, others]
  },
})

/** Changes how the coordinator's groups and offsets are stored and read. */
export const groupStore = (change: (store: GroupStore) => Changes<GroupStore>): PartReplacements => ({
  groupStore: (store) => changed(store, change(store)),
})

/** Changes the groups of the consumer protocol. */
export const nextGeneration = (
  change: (groups: NextGenerationGroups) => Changes<NextGenerationGroups>,
): PartReplacements => ({
  nextGeneration: (groups) => changed(groups, change(groups)),
})

/** Changes the groups as Kafka's handlers see them. */
export const kafkaGroups = (
  change: (groups: GroupCoordinator) => Changes<GroupCoordinator>,
): PartReplacements => ({
  kafkaGroups: (groups) => changed(groups, change(groups)),
})
