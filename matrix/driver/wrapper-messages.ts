import { z } from 'zod'
import { bytes, int64, pulsarSecurity } from './messages.js'

const nothing = z.object({})
const timeoutMs = z.number().int().positive().default(15_000)
const read = z.object({
  records: z.array(z.object({ partition: z.number().int(), offset: int64, value: bytes.nullable() })),
})

/**
 * What drivers of the Pulsar–Kafka wrapper do (kind `pulsar-kafka-wrapper`): Kafka's Java API over Pulsar's protocol,
 * whose offsets are computed by the client out of message ids. Topics have Pulsar's full names.
 */
export const wrapperOps = {
  configure: {
    args: z.object({ serviceUrl: z.string(), security: pulsarSecurity.default({}) }),
    result: nothing,
  },
  /** One message a record, in partition 0, not in batches; the offsets that the wrapper's producer is told. */
  produce: {
    args: z.object({ topic: z.string(), values: z.array(bytes), timeoutMs }),
    result: z.object({ offsets: z.array(int64) }),
  },
  /** Partition 0 from its beginning, by the subscription `group`; at the time-out what came. */
  consume: {
    args: z.object({ topic: z.string(), group: z.string(), count: z.number().int().positive(), timeoutMs }),
    result: read,
  },
  /** Joins, seeks one partition to `offset`, and reads from there. */
  consumeFrom: {
    args: z.object({
      topic: z.string(),
      group: z.string(),
      partition: z.number().int(),
      offset: int64,
      count: z.number().int().positive(),
      timeoutMs,
    }),
    result: read,
  },
} as const

export type WrapperOps = typeof wrapperOps
