import type { Config } from '../config.js'
import { ConsumerGroups } from '../groups/consumer/index.js'
import type { ConsumerGroupLimits } from '../groups/consumer/state.js'
import type { ConsumerGroupStore } from '../groups/consumer/stored.js'
import { GroupCoordinator } from '../groups/coordinator.js'
import { CursorSync } from '../groups/cursor-sync.js'
import type { GroupStore } from '../groups/group-store.js'
import { LoadingCoordinator } from '../groups/loading.js'
import type { NextGenerationGroups } from '../groups/next-generation.js'
import { step } from '../groups/step.js'
import type { GroupLimits } from '../groups/step-state.js'
import { withSubscriptionStarts } from '../groups/subscription-starts.js'
import { topicOfFullName } from '../kafka/apis/topics.js'
import { fullName } from '../topics/names.js'
import { type Parts, same } from './parts.js'
import type { Ground } from './stores.js'

/** Keeps subscriptions in step with groups, once these are loaded. */
export function followGroups(
  { config, replace, clock, log }: Ground,
  parts: Pick<Parts, 'offsets' | 'topics' | 'metrics'> & { readonly groups: () => LoadingCoordinator },
): CursorSync {
  const { offsets, topics, metrics, groups } = parts
  const cursors = new CursorSync({
    store: (replace.followedGroups ?? same<GroupStore>)(offsets),
    catalog: topics,
    members: () => groups().coordinator,
    clock,
    log: log.child({ part: 'groups' }),
    periodMs: config.kafkaOffsetsSyncPeriodMs,
    onSynced: (lagMs) => metrics.cursorSynced(lagMs),
  })
  metrics.followCursorSync(cursors)
  return cursors
}

/** What groups are made of. */
type GroupParts = Omit<Parts, 'groups' | 'listeners' | 'metrics' | 'security' | 'storage'>

/** Loads groups and offsets in the background; the coordinator begins with what they are then. */
export function loadGroups({
  config,
  replace,
  offsets,
  topics,
  cursors,
  clock,
  log,
}: GroupParts): LoadingCoordinator {
  const groupsLog = log.child({ part: 'groups' })
  const forget = (topic: string): Promise<void> =>
    offsets
      .deleteTopic(topic)
      .catch((err) => groupsLog.warn({ err, topic }, 'commits for a deleted topic remain'))
  const load = async () => {
    await offsets.load()
    // Deleted while nobody could say so here, or just before a crash.
    const gone = [...offsets.committedTopics()].filter((topic) => {
      const name = topicOfFullName(topic)
      return name === undefined || topics.find(name) === undefined
    })
    await Promise.all(gone.map(forget))
    return new GroupCoordinator({
      clock,
      nextGeneration: (classic) => {
        const groups = new ConsumerGroups({
          catalog: topics,
          store: (replace.consumerGroupStore ?? same<ConsumerGroupStore>)(offsets),
          clock,
          limits: consumerGroupLimits(config),
          isReleased: (key) => classic.isReleased(key),
          log: groupsLog,
        })
        return (replace.nextGeneration ?? same<NextGenerationGroups>)(groups)
      },
      store: withSubscriptionStarts((replace.groupStore ?? same<GroupStore>)(offsets), topics, cursors),
      ...(replace.groupStep === undefined ? {} : { step: replace.groupStep(step) }),
      limits: groupLimits(config),
      retention: groupRetention(config),
      log: groupsLog,
    })
  }
  const groups = new LoadingCoordinator(load, { clock, log: groupsLog })
  void groups.loaded.then(() => cursors.start())
  // Whichever side deleted the topic; in turn with what comes before and after.
  topics.onChange((change, topic) => {
    if (change === 'deleted') void groups.loaded.then(() => forget(fullName(topic.name)))
  })
  return groups
}

const groupLimits = (config: Config): GroupLimits => ({
  groupInitialRebalanceDelayMs: config.groupInitialRebalanceDelayMs,
  groupMembersMax: config.groupMaxSize,
  sessionTimeoutMsMin: config.groupMinSessionTimeoutMs,
  sessionTimeoutMsMax: config.groupMaxSessionTimeoutMs,
})

const consumerGroupLimits = (config: Config): ConsumerGroupLimits => ({
  heartbeatIntervalMs: config.consumerGroupHeartbeatIntervalMs,
  sessionTimeoutMs: config.consumerGroupSessionTimeoutMs,
  membersMax: config.groupMaxSize,
})

const groupRetention = (config: Config) => ({
  retentionMs: config.offsetsRetentionMinutes * 60_000,
  checkIntervalMs: config.offsetsRetentionCheckIntervalMs,
})
