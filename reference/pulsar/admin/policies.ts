import type { StoragePolicies } from '../../topics/policies.js'
import { AdminError, isObject } from './errors.js'
import { backlogQuotaMap, retentionOf, retentionPolicy } from './storage-policies.js'

/**
 * Policies of namespaces and topics, by Pulsar's names: what may be set, and what is told where nothing was set.
 *
 * - Honoured: retention, messageTTL and backlog quotas that evict (consumer_backlog_eviction), all by the retention of
 *   topics; deduplication, which is always on. Of other backlog quotas producers feel nothing: they are kept only.
 *   Numbers of producers, consumers and subscriptions, for clients of Pulsar.
 * - Kept only: durable and told, without effect: most of the rest.
 * - Refused: what would promise something that this broker does not do (`refused` below).
 */
export interface Policy {
  /** The last part of the REST path. */
  readonly path: string
  /** The same for topics, where it differs; null: topics have none. */
  readonly topicPath: string | null
  /** Its field in the namespace's policies as a whole. */
  readonly field: string
  /** That field has the value by cluster. */
  readonly byCluster: boolean
  /** Told of a namespace where nothing was set. */
  readonly fallback: unknown
  /** @throws AdminError when it cannot be set to that. */
  check(json: unknown): unknown
  read(policies: StoragePolicies): unknown
  /** Undefined takes it away. */
  write<T extends StoragePolicies>(policies: T, checked: unknown): T
}

interface KeptOptions {
  readonly topicPath?: string | null
  readonly byCluster?: boolean
  readonly fallback?: unknown
}

function kept(
  path: string,
  field: string,
  check: (json: unknown) => unknown,
  options: KeptOptions = {},
): Policy {
  const { topicPath = path, byCluster = false, fallback } = options
  return {
    ...{ path, topicPath, field, byCluster, fallback, check },
    read: (policies) => policies.kept?.[path],
    write: (policies, checked) => {
      const { [path]: _before, ...others } = policies.kept ?? {}
      return { ...policies, kept: checked === undefined ? others : { ...others, [path]: checked } }
    },
  }
}

/** Only what holds anyhow can be set. */
const refused = (
  path: string,
  field: string,
  isHeld: (json: unknown) => boolean,
  reason: string,
  options: KeptOptions = {},
): Policy =>
  kept(
    path,
    field,
    (json) => {
      if (!isHeld(json)) throw new AdminError(412, reason)
      return json
    },
    options,
  )

const count =
  (name: string, least = 0) =>
  (json: unknown): number => {
    if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < least)
      throw new AdminError(412, `${name} must be ${least} or more`)
    return json
  }
const whole = (json: unknown): number => {
  if (typeof json !== 'number' || !Number.isSafeInteger(json)) throw new AdminError(400, 'Not a whole number')
  return json
}
const flag = (json: unknown): boolean => {
  if (typeof json !== 'boolean') throw new AdminError(400, 'Neither true nor false')
  return json
}
const object = (json: unknown): unknown => {
  if (!isObject(json)) throw new AdminError(400, 'The body is not a JSON object')
  return json
}
const texts = (json: unknown): unknown => {
  if (!Array.isArray(json) || json.some((text) => typeof text !== 'string'))
    throw new AdminError(400, 'The body is not a list of texts')
  return json
}
const oneOf =
  (...names: readonly string[]) =>
  (json: unknown): unknown => {
    if (typeof json !== 'string' || !names.includes(json))
      throw new AdminError(400, `Not one of ${names.join(', ')}`)
    return json
  }

const counted = (path: string, field: string, options: KeptOptions = {}): Policy =>
  kept(path, field, count(path), options)
const rate = (path: string, field: string, options: KeptOptions = {}): Policy =>
  kept(path, field, object, { byCluster: true, ...options })

const namespaceOnly = { topicPath: null } as const

const retention: Policy = {
  ...kept('retention', 'retention_policies', retentionPolicy),
  read: ({ retention }) => retention && retentionOf(retention),
  write: (policies, checked) => ({
    ...policies,
    retention: checked === undefined ? undefined : retentionPolicy(checked),
  }),
  check: (json) => {
    retentionPolicy(json)
    return json
  },
}

const messageTtl: Policy = {
  ...kept('messageTTL', 'message_ttl_in_seconds', (json) => {
    if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < 0)
      throw new AdminError(412, 'Invalid value for message TTL, message TTL must >= 0')
    return json
  }),
  read: ({ messageTtlSeconds }) => messageTtlSeconds,
  write: (policies, checked) => ({
    ...policies,
    messageTtlSeconds: typeof checked === 'number' ? checked : undefined,
  }),
}

/** Set one kind at a time, by a route of its own. */
export const backlogQuotas: Policy = {
  ...kept('backlogQuotaMap', 'backlog_quota_map', object, { fallback: {} }),
  read: ({ backlogQuotas }) => backlogQuotas && backlogQuotaMap(backlogQuotas),
}

const strategies = [
  ...['UNDEFINED', 'ALWAYS_INCOMPATIBLE', 'ALWAYS_COMPATIBLE', 'BACKWARD', 'FORWARD', 'FULL'],
  ...['BACKWARD_TRANSITIVE', 'FORWARD_TRANSITIVE', 'FULL_TRANSITIVE'],
]
const autoUpdateStrategies = [
  ...['AutoUpdateDisabled', 'Backward', 'Forward', 'Full', 'AlwaysCompatible'],
  ...['BackwardTransitive', 'ForwardTransitive', 'FullTransitive'],
]
const noOffload = 'This broker does not offload'

export const policies: readonly Policy[] = [
  retention,
  messageTtl,
  refused(
    'deduplication',
    'deduplicationEnabled',
    (json) => json === true,
    'This broker always removes duplicates',
    {
      topicPath: 'deduplicationEnabled',
    },
  ),
  kept('persistence', 'persistence', object),
  counted('maxProducersPerTopic', 'max_producers_per_topic', { topicPath: 'maxProducers' }),
  counted('maxConsumersPerTopic', 'max_consumers_per_topic', { topicPath: 'maxConsumers' }),
  counted('maxConsumersPerSubscription', 'max_consumers_per_subscription'),
  counted('maxUnackedMessagesPerConsumer', 'max_unacked_messages_per_consumer', {
    topicPath: 'maxUnackedMessagesOnConsumer',
  }),
  counted('maxUnackedMessagesPerSubscription', 'max_unacked_messages_per_subscription', {
    topicPath: 'maxUnackedMessagesOnSubscription',
  }),
  counted('maxSubscriptionsPerTopic', 'max_subscriptions_per_topic'),
  counted('maxTopicsPerNamespace', 'max_topics_per_namespace', { ...namespaceOnly, fallback: 0 }),
  counted('compactionThreshold', 'compaction_threshold'),
  counted('subscriptionExpirationTime', 'subscription_expiration_time_minutes', namespaceOnly),
  counted('deduplicationSnapshotInterval', 'deduplicationSnapshotIntervalSeconds'),
  rate('dispatchRate', 'topicDispatchRate'),
  rate('subscriptionDispatchRate', 'subscriptionDispatchRate'),
  rate('subscribeRate', 'clusterSubscribeRate'),
  rate('publishRate', 'publishMaxMessageRate'),
  rate('replicatorDispatchRate', 'replicatorDispatchRate'),
  kept('delayedDelivery', 'delayed_delivery_policies', object),
  kept('inactiveTopicPolicies', 'inactive_topic_policies', object),
  kept('autoTopicCreation', 'autoTopicCreationOverride', object, namespaceOnly),
  kept('autoSubscriptionCreation', 'autoSubscriptionCreationOverride', object),
  kept('subscriptionTypesEnabled', 'subscription_types_enabled', texts, { fallback: [] }),
  kept('schemaCompatibilityStrategy', 'schema_compatibility_strategy', oneOf(...strategies), {
    fallback: 'UNDEFINED',
  }),
  kept(
    'schemaAutoUpdateCompatibilityStrategy',
    'schema_auto_update_compatibility_strategy',
    oneOf(...autoUpdateStrategies),
    namespaceOnly,
  ),
  kept('schemaValidationEnforced', 'schema_validation_enforced', flag, { fallback: false }),
  kept('isAllowAutoUpdateSchema', 'is_allow_auto_update_schema', flag, { ...namespaceOnly, fallback: true }),
  kept('dispatcherPauseOnAckStatePersistent', 'dispatcherPauseOnAckStatePersistentEnabled', flag, {
    fallback: false,
  }),
  refused(
    'encryptionRequired',
    'encryption_required',
    (json) => json === false,
    'This broker does not demand encryption',
    {
      ...namespaceOnly,
      fallback: false,
    },
  ),
  refused(
    'subscriptionAuthMode',
    'subscription_auth_mode',
    (json) => json === 'None',
    'Only the mode None is offered',
    {
      ...namespaceOnly,
      fallback: 'None',
    },
  ),
  refused('offloadThreshold', 'offload_threshold', (json) => whole(json) < 0, noOffload, {
    ...namespaceOnly,
    fallback: -1,
  }),
  refused('offloadThresholdInSeconds', 'offload_threshold_in_seconds', (json) => whole(json) < 0, noOffload, {
    ...namespaceOnly,
    fallback: -1,
  }),
  refused('offloadDeletionLagMs', 'offload_deletion_lag_ms', () => false, noOffload, namespaceOnly),
  refused('offloadPolicies', 'offload_policies', () => false, noOffload),
  refused('entryFilters', 'entryFilters', () => false, 'This broker has no entry filters'),
  refused('antiAffinity', 'namespaceAntiAffinityGroup', () => false, 'There is one broker', namespaceOnly),
  refused('resourcegroup', 'resource_group_name', () => false, 'ResourceGroup does not exist', namespaceOnly),
  kept('maxMessageSize', 'maxMessageSize', count('maxMessageSize')),
]

/** Kept for topics alone. */
export const topicOnly: ReadonlySet<string> = new Set(['maxMessageSize'])
