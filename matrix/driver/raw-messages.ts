import { z } from 'zod'
import { bytes, int64, kafkaSecurity, pulsarSecurity } from './messages.js'

/**
 * The ops of the raw client: single Kafka requests in a version of the scenario's choice, literal bytes on both ports,
 * and literal Pulsar entries. The protocol is that of `messages.ts`. A `body` is the request or answer as JSON, by the
 * field names of Kafka's protocol guide in camel case; `records` within a request is a `rawBatch`, a list of them, or
 * base64 bytes; within an answer it is `rawRecords`. A version that the target does not list is `unsupported`.
 */
const timeoutMs = z.number().int().positive()
const connection = z.string()
const body = z.record(z.string(), z.unknown())

export const rawRecord = z.object({
  key: bytes.nullable().optional(),
  value: bytes.nullable().optional(),
  headers: z.array(z.tuple([z.string(), bytes.nullable()])).optional(),
  timestamp: int64.optional(),
})

export const rawBatch = z.object({
  magic: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(2),
  codec: z.enum(['none', 'gzip']).default('none'),
  records: z.array(rawRecord),
  producerId: int64.optional(),
  producerEpoch: z.number().int().optional(),
  baseSequence: z.number().int().optional(),
  /** A control batch, as only brokers write them. */
  control: z.boolean().optional(),
  /** What is wrong on purpose. */
  spoiled: z.enum(['crc', 'count', 'records', 'magic', 'length']).optional(),
})

export const rawRecords = z.object({
  sizeBytes: z.number().int(),
  batches: z.array(
    z.object({
      magic: z.number().int(),
      sizeBytes: z.number().int(),
      crcValid: z.boolean(),
      baseOffset: int64,
      lastOffsetDelta: z.number().int(),
      timestampType: z.enum(['create', 'append']),
      maxTimestamp: int64,
      codec: z.number().int(),
      isControl: z.boolean(),
      producerId: int64,
      producerEpoch: z.number().int(),
      baseSequence: z.number().int(),
      records: z.array(
        z.object({
          offset: int64,
          timestamp: int64,
          key: bytes.nullable(),
          value: bytes.nullable(),
          headers: z.array(z.tuple([z.string(), bytes.nullable()])),
        }),
      ),
    }),
  ),
})

/** MessageMetadata by field number: a varint as a decimal string, or text, bytes, or a list of key-value pairs. */
const metadataValue = z.union([
  z.string(),
  z.object({ text: z.string() }),
  z.object({ base64: bytes }),
  z.object({ pairs: z.array(z.tuple([z.string(), z.string()])) }),
])

const oneRequest = z.object({
  api: z.string(),
  /** Absent: the highest that both sides know and that names topics by their names. */
  version: z.number().int().optional(),
  body,
})

export const rawOps = {
  /** Closes every connection. */
  configure: {
    args: z.object({
      kafka: z.string().optional(),
      pulsar: z.string().optional(),
      /** Each connection begins with TLS, and is logged in, where these say so. */
      security: z
        .object({ kafka: kafkaSecurity.default({}), pulsar: pulsarSecurity.default({}) })
        .default({ kafka: {}, pulsar: {} }),
    }),
    result: z.object({}),
  },
  /** Says Pulsar's CONNECT, and what the broker answers of itself; a refusal is an error. */
  greetPulsar: {
    args: z.object({}),
    result: z.object({ serverVersion: z.string(), protocolVersion: z.number().int() }),
  },
  connect: {
    /** `address`: `host:port` of one broker of several; absent: as configured. */
    args: z.object({ connection, port: z.enum(['kafka', 'pulsar']), address: z.string().optional() }),
    result: z.object({}),
  },
  send: { args: z.object({ connection, bytes }), result: z.object({}) },
  /** The next frame without its length; null: the other side closed. */
  receive: {
    args: z.object({ connection, timeoutMs: timeoutMs.default(15_000) }),
    result: z.object({ frame: bytes.nullable() }),
  },
  expectClose: {
    args: z.object({ connection, timeoutMs: timeoutMs.default(15_000) }),
    result: z.object({ closed: z.boolean(), receivedBytes: z.number().int() }),
  },
  apiVersions: {
    args: z.object({}),
    result: z.object({
      apis: z.array(
        z.object({
          key: z.number().int(),
          /** null: not in the driver's tables. */
          name: z.string().nullable(),
          minVersion: z.number().int(),
          maxVersion: z.number().int(),
        }),
      ),
    }),
  },
  /** One request and its answer. Opens the connection of that name when there is none, or it has been closed. */
  request: {
    args: oneRequest.extend({
      connection: connection.default('default'),
      /** On the connection as it stands: one that was closed meanwhile is an error named CLOSED. */
      existing: z.boolean().default(false),
      timeoutMs: timeoutMs.default(20_000),
    }),
    result: z.object({ version: z.number().int(), elapsedMs: z.number(), body }),
  },
  /** Several requests in one write. `answered: false` for what gets no answer (acks=0). */
  pipeline: {
    args: z.object({
      connection: connection.default('default'),
      requests: z.array(oneRequest.extend({ answered: z.boolean().default(true) })),
      timeoutMs: timeoutMs.default(20_000),
    }),
    result: z.object({
      sent: z.array(z.object({ correlationId: z.number().int(), api: z.string() })),
      /** In the order of arrival. */
      received: z.array(z.object({ correlationId: z.number().int(), body, elapsedMs: z.number() })),
      closed: z.boolean(),
    }),
  },
  /** A request of a version that is not listed; the answer is read in version 0's form. */
  tooNew: {
    args: z.object({
      connection: connection.default('default'),
      api: z.string(),
      version: z.number().int(),
      body: body.default({}),
    }),
    result: z.object({
      closed: z.boolean(),
      sameId: z.boolean().optional(),
      version0: body.optional(),
      unreadable: z.string().optional(),
    }),
  },
  /** Asks a harmless question of an API in each listed version, and reads each answer twice. */
  everyVersion: {
    args: z.object({ api: z.string(), topic: z.string(), fetchOffset: int64.default('0') }),
    result: z.object({
      listed: z.boolean(),
      versions: z.array(
        z.object({
          version: z.number().int(),
          /** The names of the error codes in the answer. */
          errors: z.array(z.string()),
          /** Fetch: the number of batches. */
          records: z.number().int().optional(),
          /** Why the answer is not in that version's form. */
          problem: z.string().optional(),
        }),
      ),
    }),
  },
  /** The bytes of a right request, length included. */
  encode: { args: oneRequest, result: z.object({ bytes }) },
  /** Sends the same request again and again and reads nothing. */
  flood: {
    args: z.object({
      connection,
      api: z.string(),
      body,
      /** Makes each request this much longer. */
      padBytes: z.number().int(),
      bytesMax: z.number().int(),
      /** The other side takes no more when nothing leaves for so long. */
      stallMs: z.number().int(),
    }),
    result: z.object({ acceptedBytes: z.number().int(), stalled: z.boolean(), closed: z.boolean() }),
  },
  /** Appends literal entries by Pulsar's binary protocol, each in a SEND of its own. */
  publish: {
    args: z.object({
      topic: z.string(),
      entries: z.array(
        z.object({
          metadata: z.record(z.string(), metadataValue).default({}),
          payload: bytes.default(''),
          /** In place of `payload`: the messages of a batch. */
          batch: z.array(z.object({ key: z.string().optional(), value: bytes })).optional(),
          /** num_messages of the SEND command. */
          messages: z.number().int().default(1),
          spoiled: z.enum(['crc']).optional(),
        }),
      ),
    }),
    result: z.object({
      results: z.array(
        z.object({
          kind: z.string(),
          ledgerId: int64.optional(),
          entryId: int64.optional(),
          code: z.number().int().optional(),
          message: z.string().optional(),
        }),
      ),
    }),
  },
  errorName: { args: z.object({ code: z.number().int() }), result: z.object({ name: z.string() }) },
} as const

export type RawOps = typeof rawOps
export type RawRecords = z.output<typeof rawRecords>
export type RawBatch = z.input<typeof rawBatch>
