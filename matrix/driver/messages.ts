import { z } from 'zod'

/**
 * The driver protocol. A driver is a program in a client library's own language: it reads one JSON object a line from
 * standard input and writes one JSON object a line to standard output. Its log goes to standard error.
 *
 *   → {"id":1,"op":"produce","args":{…}}
 *   ← {"id":1,"result":{…}}
 *   ← {"id":1,"error":{"name":"OFFSET_OUT_OF_RANGE","message":"…"}}
 *   ← {"id":1,"unsupported":"kafkajs cannot choose message format 0"}
 *
 * Its first line, unasked, is `{"ready":{"client":"kafkajs","version":"2.2.4","kind":"kafka"}}`. Requests may overlap:
 * answers carry the id and may come in any order. Bytes are base64, 64-bit numbers are decimal strings, absent and null
 * differ. A driver gives no verdicts and retries only what its library retries by itself. It ends when standard input
 * closes. `error.name` is the protocol's own name where there is one (Kafka: `OFFSET_OUT_OF_RANGE`; Pulsar:
 * `ProducerFenced`), `TIMEOUT` for a client-side time-out, otherwise the library's exception class.
 */
export const bytes = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/)
export const int64 = z.string().regex(/^-?\d+$/)
const timeoutMs = z.number().int().positive()

export const request = z.object({
  id: z.number().int(),
  op: z.string(),
  args: z.record(z.string(), z.unknown()),
})
export const ready = z.object({
  ready: z.object({
    client: z.string(),
    version: z.string(),
    kind: z.enum(['kafka', 'pulsar', 'raw', 'pulsar-admin', 'kafka-admin', 'pulsar-kafka-wrapper']),
  }),
})
export const driverError = z.object({ name: z.string(), message: z.string() })
export const response = z.union([
  z.object({ id: z.number().int(), result: z.unknown() }),
  z.object({ id: z.number().int(), error: driverError }),
  z.object({ id: z.number().int(), unsupported: z.string() }),
])

/** TLS when `caPath` is there; SASL when `sasl` is there. */
export const kafkaSecurity = z.object({
  /** PEM file of the authority that signed the broker's certificate. */
  caPath: z.string().optional(),
  sasl: z
    .discriminatedUnion('mechanism', [
      z.object({
        mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']),
        username: z.string(),
        password: z.string(),
      }),
      /** A JSON web token; the driver hands it to the library as it is. */
      z.object({
        mechanism: z.literal('OAUTHBEARER'),
        token: z.string(),
        /** SASL extensions (KIP-342), such as the namespace to work in. */
        extensions: z.record(z.string(), z.string()).default({}),
      }),
    ])
    .optional(),
})
/** Pulsar's token authentication; TLS when the service URL says `pulsar+ssl` or `https`. */
export const pulsarSecurity = z.object({
  token: z.string().optional(),
  /** PEM file of the authority that signed the broker's certificate. */
  caPath: z.string().optional(),
})

export type KafkaSecurity = z.input<typeof kafkaSecurity>
export type PulsarSecurity = z.input<typeof pulsarSecurity>

/** Where and as whom. Sent first, and again before each scenario: it closes every handle that is open. */
export const kafkaConfigure = z.object({
  bootstrap: z.string(),
  clientId: z.string(),
  security: kafkaSecurity.default({}),
})
export const pulsarConfigure = z.object({ serviceUrl: z.string(), security: pulsarSecurity.default({}) })

/* ---- Kafka ------------------------------------------------------------------------------------------------------ */

export const kafkaRecord = z.object({
  /** Absent: the library's own partitioner chooses. */
  partition: z.number().int().optional(),
  key: bytes.nullable(),
  value: bytes.nullable(),
  /** In order; names may repeat. */
  headers: z.array(z.tuple([z.string(), bytes.nullable()])).default([]),
  /** CreateTime in milliseconds. Absent: the library's. */
  timestamp: int64.optional(),
})

export const kafkaReceived = z.object({
  partition: z.number().int(),
  offset: int64,
  timestamp: int64,
  /** Absent where the library does not tell. */
  timestampType: z.enum(['create', 'append']).optional(),
  key: bytes.nullable(),
  value: bytes.nullable(),
  /** Absent where the library knows of none (KIP-82). */
  headers: z.array(z.tuple([z.string(), bytes.nullable()])).optional(),
})

const offsetToCommit = z.object({
  topic: z.string(),
  partition: z.number().int().default(0),
  /** The next offset to read. */
  offset: int64,
  metadata: z.string().optional(),
})
const committedOffset = z.object({
  topic: z.string(),
  partition: z.number().int(),
  offset: int64,
  metadata: z.string().nullable().optional(),
})

const kafkaFrom = z.union([z.enum(['earliest', 'latest']), z.object({ offset: int64 })])

export const kafkaOps = {
  configure: { args: kafkaConfigure, result: z.object({}) },
  /** Errors of single topics are in the answer, not an error of the op. */
  createTopics: {
    args: z.object({
      topics: z.array(
        z.object({
          name: z.string(),
          partitions: z.number().int(),
          configs: z.record(z.string(), z.string()).default({}),
        }),
      ),
    }),
    result: z.object({ topics: z.array(z.object({ name: z.string(), error: z.string().optional() })) }),
  },
  deleteTopics: {
    args: z.object({ names: z.array(z.string()) }),
    result: z.object({ topics: z.array(z.object({ name: z.string(), error: z.string().optional() })) }),
  },
  createPartitions: { args: z.object({ topic: z.string(), count: z.number().int() }), result: z.object({}) },
  deleteRecords: {
    args: z.object({ topic: z.string(), partition: z.number().int(), before: int64 }),
    result: z.object({}),
  },
  describeConfigs: {
    args: z.object({ topic: z.string() }),
    result: z.object({ configs: z.record(z.string(), z.string().nullable()) }),
  },
  alterConfigs: {
    args: z.object({ topic: z.string(), configs: z.record(z.string(), z.string()) }),
    result: z.object({}),
  },
  listTopics: { args: z.object({}), result: z.object({ names: z.array(z.string()) }) },
  /** Of named topics; never asks for their creation where the library can leave it out. */
  metadata: {
    args: z.object({ topics: z.array(z.string()) }),
    result: z.object({
      brokers: z.array(z.object({ id: z.number().int(), host: z.string(), port: z.number().int() })),
      topics: z.array(
        z.object({
          name: z.string(),
          error: z.string().optional(),
          topicId: z.string().optional(),
          internal: z.boolean().optional(),
          partitions: z.array(
            z.object({ index: z.number().int(), leader: z.number().int(), error: z.string().optional() }),
          ),
        }),
      ),
    }),
  },
  listOffsets: {
    args: z.object({
      topic: z.string(),
      partition: z.number().int(),
      at: z.union([z.enum(['earliest', 'latest']), z.object({ timestamp: int64 })]),
    }),
    /** offset −1: none. */
    result: z.object({ offset: int64, timestamp: int64.optional() }),
  },
  /** Sends all and waits for all acknowledgements. Answers in the order of `records`. */
  produce: {
    args: z.object({
      topic: z.string(),
      records: z.array(kafkaRecord),
      acks: z.enum(['0', '1', 'all']).default('all'),
      compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none'),
      idempotent: z.boolean().default(false),
      /** true: in one batch a partition, as far as the library lets one; false: one request a record, in order. */
      oneBatch: z.boolean().default(true),
      /** A producer kept under this name and used again by later calls; its settings are of the first call. */
      producer: z.string().default('default'),
      timeoutMs: timeoutMs.default(15_000),
    }),
    /** `offset` is absent where the library or acks=0 gives none. */
    result: z.object({
      records: z.array(z.object({ partition: z.number().int().optional(), offset: int64.optional() })),
    }),
  },
  /**
   * Reads one partition by assignment (a library that can only subscribe uses a group of its own and seeks). Ends when
   * `count` records came, or at the log end as it was when the call began (`until: 'end'`), or at the time-out; it
   * answers with what came, in order.
   */
  consume: {
    args: z.object({
      topic: z.string(),
      partition: z.number().int().default(0),
      from: kafkaFrom.default('earliest'),
      count: z.number().int().positive().optional(),
      until: z.literal('end').optional(),
      /** Bytes a partition and fetch; the library's default when absent. */
      maxPartitionBytes: z.number().int().optional(),
      readCommitted: z.boolean().default(false),
      /** 'none': an offset out of range is an error named OFFSET_OUT_OF_RANGE. */
      reset: z.enum(['none', 'earliest', 'latest']).default('none'),
      timeoutMs: timeoutMs.default(15_000),
    }),
    result: z.object({ records: z.array(kafkaReceived) }),
  },
  /** A consumer that stays. It is at its place, with its first fetch under way, when the op answers. */
  openConsumer: {
    args: z.object({
      consumer: z.string(),
      topic: z.string(),
      partition: z.number().int().default(0),
      from: kafkaFrom.default('latest'),
    }),
    result: z.object({}),
  },
  /** Waits for `count` records or the time-out, and answers with what came. */
  poll: {
    args: z.object({
      consumer: z.string(),
      count: z.number().int().positive(),
      timeoutMs: timeoutMs.default(15_000),
    }),
    result: z.object({ records: z.array(kafkaReceived) }),
  },
  seek: { args: z.object({ consumer: z.string(), offset: int64 }), result: z.object({}) },
  closeConsumer: { args: z.object({ consumer: z.string() }), result: z.object({}) },
  /** As a member of a group, from its committed offsets or else `from`; commits what it read, leaves. */
  consumeInGroup: {
    args: z.object({
      group: z.string(),
      topic: z.string(),
      from: z.enum(['earliest', 'latest']).default('earliest'),
      count: z.number().int().positive(),
      timeoutMs: timeoutMs.default(20_000),
    }),
    result: z.object({ records: z.array(kafkaReceived) }),
  },
  /** offset −1: nothing is committed. */
  committed: {
    args: z.object({ group: z.string(), topic: z.string(), partition: z.number().int().default(0) }),
    result: z.object({ offset: int64, metadata: z.string().nullable().optional() }),
  },
  /** Commits as a consumer without membership does; error names are the protocol's. */
  commit: {
    args: z.object({ group: z.string(), offsets: z.array(offsetToCommit) }),
    result: z.object({}),
  },
  /** Everything that the group has committed (OffsetFetch of all partitions), in the order of topic and partition. */
  allCommitted: {
    args: z.object({ group: z.string() }),
    result: z.object({ offsets: z.array(committedOffset) }),
  },

  /* Members of a group that stay. Automatic commits are off; a member polls in the background only as far as its
   * library needs it to stay in the group, and keeps what it was given for `memberPoll`. */

  /** Subscribes; does not wait for an assignment. */
  openMember: {
    args: z.object({
      member: z.string(),
      group: z.string(),
      topics: z.array(z.string()),
      assignor: z.enum(['range', 'roundrobin', 'sticky', 'cooperative-sticky']).default('range'),
      /** KIP-848's is `consumer`; the broker's side then chooses the assignor. */
      protocol: z.enum(['classic', 'consumer']).default('classic'),
      /** A static member (KIP-345). */
      instanceId: z.string().optional(),
      /** Where the group has no offset. */
      from: z.enum(['earliest', 'latest']).default('earliest'),
      sessionTimeoutMs: timeoutMs.default(10_000),
      heartbeatIntervalMs: timeoutMs.default(500),
    }),
    result: z.object({}),
  },
  /**
   * Waits until the member has exactly `count` partitions, and answers what it has; at the time-out it answers what it
   * has then. `generation` is absent where the library does not tell.
   */
  assignment: {
    args: z.object({ member: z.string(), count: z.number().int(), timeoutMs: timeoutMs.default(20_000) }),
    result: z.object({
      memberId: z.string().optional(),
      generation: z.number().int().optional(),
      partitions: z.array(z.object({ topic: z.string(), partition: z.number().int() })),
      /** All that was given and taken since the member was opened, in order. */
      history: z.array(
        z.object({
          event: z.enum(['assigned', 'revoked', 'lost']),
          partitions: z.array(z.object({ topic: z.string(), partition: z.number().int() })),
        }),
      ),
    }),
  },
  /** Waits for `count` records or the time-out, and answers with what came, in order within a partition. */
  memberPoll: {
    args: z.object({
      member: z.string(),
      count: z.number().int().positive(),
      timeoutMs: timeoutMs.default(15_000),
    }),
    result: z.object({ records: z.array(kafkaReceived.extend({ topic: z.string() })) }),
  },
  /** As the member, in its generation: the given offsets, or else the places after what `memberPoll` answered with. */
  memberCommit: {
    args: z.object({ member: z.string(), offsets: z.array(offsetToCommit).optional() }),
    result: z.object({}),
  },
  /** Leaves the group (a static member: as its library does on closing), without committing. */
  closeMember: { args: z.object({ member: z.string() }), result: z.object({}) },
} as const

/* ---- Pulsar ----------------------------------------------------------------------------------------------------- */

export const messageId = z.object({
  ledgerId: int64,
  entryId: int64,
  /** −1: a topic without partitions. */
  partition: z.number().int(),
  /** −1: not of a batch. */
  batchIndex: z.number().int(),
})

export const pulsarMessage = z.object({
  /** At most one of key and keyBytes. */
  key: z.string().optional(),
  keyBytes: bytes.optional(),
  orderingKey: bytes.optional(),
  /** null: a tombstone (null_value). */
  value: bytes.nullable(),
  properties: z.record(z.string(), z.string()).default({}),
  /** Milliseconds; absent: none. */
  eventTime: int64.optional(),
  deliverAfterMs: z.number().int().optional(),
  sequenceId: int64.optional(),
})

export const pulsarReceived = z.object({
  id: messageId,
  topic: z.string(),
  /** As the library's text accessor gives it; null: no key. */
  key: z.string().nullable(),
  /** The key's bytes, where the library has an accessor for them. */
  keyBytes: bytes.nullable().optional(),
  orderingKey: bytes.nullable().optional(),
  value: bytes.nullable(),
  /** false where the library cannot tell a tombstone from an empty value. */
  knowsNull: z.boolean().default(true),
  properties: z.record(z.string(), z.string()),
  /** 0: none, as Pulsar's clients give it. */
  eventTime: int64,
  publishTime: int64,
  /** The broker-entry index, where the library shows it. */
  index: int64.optional(),
  producerName: z.string().optional(),
  sequenceId: int64.optional(),
  redeliveryCount: z.number().int().optional(),
})

const pulsarFrom = z.union([
  z.enum(['earliest', 'latest']),
  z.object({ id: messageId, inclusive: z.boolean() }),
])
const schema = z.object({ type: z.enum(['string', 'json', 'avro']), definition: z.string().optional() })

export const pulsarOps = {
  configure: { args: pulsarConfigure, result: z.object({}) },
  produce: {
    args: z.object({
      /** A partition is named by its own topic name, `…-partition-3`. */
      topic: z.string(),
      messages: z.array(pulsarMessage),
      /** true: in one batch as far as the library lets one; false: batching off. */
      oneBatch: z.boolean().default(false),
      compression: z.enum(['none', 'lz4', 'zlib', 'zstd', 'snappy']).default('none'),
      chunking: z.boolean().default(false),
      /** The chunk size, where the library has the setting. */
      chunkBytesMax: z.number().int().optional(),
      producerName: z.string().optional(),
      /** PEM of an RSA public key; messages are encrypted for it. */
      encryptionPublicKey: z.string().optional(),
      schema: schema.optional(),
      /** A producer kept under this name and used again by later calls; its settings are of the first call. */
      producer: z.string().default('default'),
      timeoutMs: timeoutMs.default(15_000),
    }),
    /** In the order of `messages`. */
    result: z.object({ ids: z.array(messageId) }),
  },
  closeProducer: { args: z.object({ producer: z.string() }), result: z.object({}) },
  subscribe: {
    args: z.object({
      consumer: z.string(),
      topic: z.string(),
      subscription: z.string(),
      type: z.enum(['exclusive', 'failover', 'shared', 'key_shared']).default('exclusive'),
      from: z.enum(['earliest', 'latest']).default('earliest'),
      /** What compaction has left, up to where it came; only exclusive and failover. */
      compacted: z.boolean().default(false),
      receiverQueueSize: z.number().int().optional(),
      batchIndexAck: z.boolean().default(false),
      negativeAckDelayMs: z.number().int().optional(),
    }),
    result: z.object({}),
  },
  /** Waits for `count` messages or the time-out, and answers with what came; acknowledges nothing. */
  receive: {
    args: z.object({
      consumer: z.string(),
      count: z.number().int().positive(),
      timeoutMs: timeoutMs.default(15_000),
    }),
    result: z.object({ messages: z.array(pulsarReceived) }),
  },
  acknowledge: {
    args: z.object({ consumer: z.string(), ids: z.array(messageId), cumulative: z.boolean().default(false) }),
    result: z.object({}),
  },
  negativeAcknowledge: {
    args: z.object({ consumer: z.string(), ids: z.array(messageId) }),
    result: z.object({}),
  },
  redeliverUnacknowledged: { args: z.object({ consumer: z.string() }), result: z.object({}) },
  seek: {
    args: z.object({
      consumer: z.string(),
      to: z.union([z.object({ id: messageId }), z.object({ timestamp: int64 })]),
    }),
    result: z.object({}),
  },
  unsubscribe: { args: z.object({ consumer: z.string() }), result: z.object({}) },
  closeConsumer: { args: z.object({ consumer: z.string() }), result: z.object({}) },
  /** By a reader. Ends like the Kafka op of this kind: `count`, the end as it was, or the time-out. */
  read: {
    args: z.object({
      topic: z.string(),
      from: pulsarFrom.default('earliest'),
      /** What compaction has left, up to where it came. */
      compacted: z.boolean().default(false),
      count: z.number().int().positive().optional(),
      until: z.literal('end').optional(),
      timeoutMs: timeoutMs.default(15_000),
    }),
    result: z.object({ messages: z.array(pulsarReceived) }),
  },
  /** A reader that stays, for what comes later. It is connected when the op answers. */
  openReader: {
    args: z.object({ reader: z.string(), topic: z.string(), from: pulsarFrom.default('latest') }),
    result: z.object({}),
  },
  readNext: {
    args: z.object({
      reader: z.string(),
      count: z.number().int().positive(),
      timeoutMs: timeoutMs.default(15_000),
    }),
    result: z.object({ messages: z.array(pulsarReceived) }),
  },
  lastMessageId: { args: z.object({ topic: z.string() }), result: z.object({ id: messageId.nullable() }) },
  /** Names of the partitions, or the topic itself when it has none. */
  partitions: { args: z.object({ topic: z.string() }), result: z.object({ names: z.array(z.string()) }) },
} as const

export type KafkaOps = typeof kafkaOps
export type PulsarOps = typeof pulsarOps
type AnyOps = Record<string, { args: z.ZodType; result: z.ZodType }>
/** What a caller gives: defaults may be left out. */
export type ArgsOf<Ops extends AnyOps, Op extends keyof Ops> = z.input<Ops[Op]['args']>
export type ResultOf<Ops extends AnyOps, Op extends keyof Ops> = z.output<Ops[Op]['result']>
export type KafkaRecord = z.input<typeof kafkaRecord>
export type KafkaReceived = z.output<typeof kafkaReceived>
export type PulsarMessage = z.input<typeof pulsarMessage>
export type PulsarReceived = z.output<typeof pulsarReceived>
export type MessageId = z.output<typeof messageId>
