import { z } from 'zod'
import { bytes, int64, kafkaSecurity, messageId, pulsarSecurity } from './messages.js'

/**
 * What drivers of administration tools do: Pulsar's (kind `pulsar-admin`) and Kafka's (kind `kafka-admin`). The driver
 * protocol is that of `messages.ts`. A refusal by the server is an error: of Pulsar's REST its name is the status
 * (`404`, `409`, `412`), of Kafka the protocol's error name, and its message the reason as the tool gives it.
 */
const topic = z.object({ topic: z.string() })
/** Of one partition's topic, or of a partitioned topic as a whole where the tool offers it. */
const subscription = z.object({ topic: z.string(), subscription: z.string() })
const nothing = z.object({})
const at = z.union([z.enum(['earliest', 'latest']), z.object({ id: messageId })])

export const subscriptionStats = z.object({
  /** In the target's unit (register PT-2). */
  msgBacklog: z.number().int(),
  consumers: z.number().int(),
  type: z.string().optional(),
  isDurable: z.boolean().optional(),
  msgRateOut: z.number().optional(),
})

export const pulsarAdminOps = {
  configure: {
    args: z.object({ adminUrl: z.string(), serviceUrl: z.string(), security: pulsarSecurity.default({}) }),
    result: nothing,
  },

  listClusters: { args: nothing, result: z.object({ names: z.array(z.string()) }) },
  listBrokers: { args: nothing, result: z.object({ names: z.array(z.string()) }) },
  listTenants: { args: nothing, result: z.object({ names: z.array(z.string()) }) },
  createTenant: { args: z.object({ tenant: z.string() }), result: nothing },
  deleteTenant: { args: z.object({ tenant: z.string() }), result: nothing },
  listNamespaces: {
    args: z.object({ tenant: z.string() }),
    /** `tenant/namespace` */
    result: z.object({ names: z.array(z.string()) }),
  },
  createNamespace: { args: z.object({ namespace: z.string() }), result: nothing },
  deleteNamespace: { args: z.object({ namespace: z.string() }), result: nothing },
  setRetention: {
    /** −1: without bound; 0 and 0: none. */
    args: z.object({ namespace: z.string(), minutes: z.number().int(), megabytes: z.number().int() }),
    result: nothing,
  },
  retention: {
    args: z.object({ namespace: z.string() }),
    result: z.object({ minutes: z.number().int().nullable(), megabytes: z.number().int().nullable() }),
  },
  setMessageTtl: { args: z.object({ namespace: z.string(), seconds: z.number().int() }), result: nothing },
  messageTtl: {
    args: z.object({ namespace: z.string() }),
    result: z.object({ seconds: z.number().int().nullable() }),
  },
  grantPermission: {
    args: z.object({
      /** `tenant/namespace`, or a full topic name. */
      on: z.string(),
      role: z.string(),
      actions: z.array(z.enum(['produce', 'consume', 'functions'])),
    }),
    result: nothing,
  },
  revokePermission: { args: z.object({ on: z.string(), role: z.string() }), result: nothing },
  permissions: {
    args: z.object({ on: z.string() }),
    result: z.object({ roles: z.record(z.string(), z.array(z.string())) }),
  },

  /** Full names of the topics and, of partitioned ones, of their partitions. */
  listTopics: { args: z.object({ namespace: z.string() }), result: z.object({ names: z.array(z.string()) }) },
  listPartitionedTopics: {
    args: z.object({ namespace: z.string() }),
    result: z.object({ names: z.array(z.string()) }),
  },
  createTopic: { args: topic, result: nothing },
  createPartitionedTopic: { args: topic.extend({ partitions: z.number().int() }), result: nothing },
  updatePartitions: { args: topic.extend({ partitions: z.number().int() }), result: nothing },
  partitions: { args: topic, result: z.object({ partitions: z.number().int() }) },
  deleteTopic: { args: topic.extend({ force: z.boolean().default(false) }), result: nothing },
  deletePartitionedTopic: { args: topic.extend({ force: z.boolean().default(false) }), result: nothing },
  lookup: { args: topic, result: z.object({ brokerUrl: z.string() }) },
  unload: { args: topic, result: nothing },
  terminate: { args: topic, result: z.object({ id: messageId }) },
  truncate: { args: topic, result: nothing },
  compact: { args: topic, result: nothing },
  compactionStatus: { args: topic, result: z.object({ status: z.string() }) },
  lastMessageId: { args: topic, result: z.object({ id: messageId }) },
  stats: {
    args: topic,
    result: z.object({
      msgInCounter: z.number().int().optional(),
      storageSize: z.number().int().optional(),
      backlogSize: z.number().int().optional(),
      subscriptions: z.record(z.string(), subscriptionStats),
    }),
  },
  partitionedStats: {
    args: topic,
    result: z.object({
      partitions: z.number().int(),
      subscriptions: z.record(z.string(), subscriptionStats),
    }),
  },
  internalStats: {
    args: topic,
    result: z.object({
      numberOfEntries: z.number().int(),
      totalSize: z.number().int(),
      lastConfirmedEntry: z.string(),
      ledgers: z.array(z.object({ ledgerId: int64, entries: z.number().int(), size: z.number().int() })),
      cursors: z.record(z.string(), z.object({ markDeletePosition: z.string(), readPosition: z.string() })),
    }),
  },

  listSubscriptions: { args: topic, result: z.object({ names: z.array(z.string()) }) },
  createSubscription: { args: subscription.extend({ at: at.default('latest') }), result: nothing },
  deleteSubscription: {
    args: subscription.extend({ force: z.boolean().default(false) }),
    result: nothing,
  },
  resetCursor: {
    /** By time: milliseconds since the epoch, as far as the tool counts in them (some count back from now). */
    args: subscription.extend({ to: z.union([z.object({ timestamp: int64 }), z.object({ id: messageId })]) }),
    result: nothing,
  },
  skip: { args: subscription.extend({ count: z.number().int().positive() }), result: nothing },
  clearBacklog: { args: subscription, result: nothing },
  expire: { args: subscription.extend({ olderThanSeconds: z.number().int() }), result: nothing },
  /** The next messages of the subscription, from the first; nothing is acknowledged. */
  peek: {
    args: subscription.extend({ count: z.number().int().positive() }),
    result: z.object({
      messages: z.array(
        z.object({
          value: bytes,
          key: z.string().nullable().optional(),
          properties: z.record(z.string(), z.string()),
          id: messageId.optional(),
        }),
      ),
    }),
  },
  /** The message at a place counted from 1, from the earliest or the latest. */
  examine: {
    args: topic.extend({ from: z.enum(['earliest', 'latest']), place: z.number().int().positive() }),
    result: z.object({ value: bytes, key: z.string().nullable().optional() }),
  },

  uploadSchema: { args: topic.extend({ type: z.string(), definition: z.string() }), result: nothing },
  schema: { args: topic, result: z.object({ type: z.string(), definition: z.string() }) },
  deleteSchema: { args: topic, result: nothing },
} as const

const groupPartition = z.object({
  topic: z.string(),
  partition: z.number().int(),
  /** null: none is committed. */
  offset: int64.nullable(),
  logEnd: int64.nullable(),
  lag: int64.nullable(),
  memberId: z.string().nullable(),
})
/** What `--reset-offsets` moves to. */
const resetTo = z.union([
  z.enum(['earliest', 'latest', 'current']),
  z.object({ offset: int64 }),
  z.object({ shiftBy: z.number().int() }),
  z.object({ timestamp: int64 }),
])

export const kafkaAdminOps = {
  configure: {
    args: z.object({ bootstrap: z.string(), security: kafkaSecurity.default({}) }),
    result: nothing,
  },
  listGroups: {
    args: nothing,
    result: z.object({
      groups: z.array(
        z.object({ group: z.string(), state: z.string().optional(), type: z.string().optional() }),
      ),
    }),
  },
  describeGroup: {
    args: z.object({ group: z.string() }),
    /** A group that does not exist: GROUP_ID_NOT_FOUND. */
    result: z.object({
      state: z.string(),
      assignor: z.string().nullable(),
      members: z.array(
        z.object({
          memberId: z.string(),
          instanceId: z.string().nullable().optional(),
          clientId: z.string(),
          host: z.string(),
          partitions: z.array(z.object({ topic: z.string(), partition: z.number().int() })),
        }),
      ),
      offsets: z.array(groupPartition),
    }),
  },
  deleteGroup: { args: z.object({ group: z.string() }), result: nothing },
  deleteOffsets: { args: z.object({ group: z.string(), topic: z.string() }), result: nothing },
  resetOffsets: {
    args: z.object({
      group: z.string(),
      topic: z.string(),
      /** Absent: all of the topic's. */
      partition: z.number().int().optional(),
      to: resetTo,
    }),
    /** The offsets that the group has now. */
    result: z.object({
      offsets: z.array(z.object({ topic: z.string(), partition: z.number().int(), offset: int64 })),
    }),
  },

  listTopics: { args: nothing, result: z.object({ names: z.array(z.string()) }) },
  createTopic: {
    args: z.object({
      topic: z.string(),
      partitions: z.number().int(),
      configs: z.record(z.string(), z.string()).default({}),
    }),
    result: nothing,
  },
  describeTopic: {
    args: z.object({ topic: z.string() }),
    result: z.object({
      partitions: z.array(z.object({ index: z.number().int(), leader: z.number().int() })),
      configs: z.record(z.string(), z.string()),
    }),
  },
  raisePartitions: { args: z.object({ topic: z.string(), partitions: z.number().int() }), result: nothing },
  deleteTopic: { args: z.object({ topic: z.string() }), result: nothing },
  alterTopicConfigs: {
    args: z.object({
      topic: z.string(),
      set: z.record(z.string(), z.string()).default({}),
      remove: z.array(z.string()).default([]),
    }),
    result: nothing,
  },
  topicConfigs: {
    args: z.object({ topic: z.string() }),
    /** Those that were set for the topic. */
    result: z.object({ configs: z.record(z.string(), z.string()) }),
  },
  /** Sets, or with `password` null removes, a user's SCRAM credentials. */
  alterScramUser: {
    args: z.object({
      user: z.string(),
      mechanism: z.enum(['SCRAM-SHA-256', 'SCRAM-SHA-512']),
      password: z.string().nullable(),
    }),
    result: nothing,
  },
  scramUsers: {
    args: nothing,
    result: z.object({ users: z.array(z.object({ user: z.string(), mechanisms: z.array(z.string()) })) }),
  },
} as const

export type PulsarAdminOps = typeof pulsarAdminOps
export type KafkaAdminOps = typeof kafkaAdminOps
