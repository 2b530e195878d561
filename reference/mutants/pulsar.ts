import type { PartReplacements } from '../broker.js'
import { handlers } from '../pulsar/commands/index.js'
import { type CommandBody, type MessageIdData, SubscriptionType } from '../pulsar/wire/commands.js'
import { frameHeadersAndPayload } from '../pulsar/wire/entry-checksum.js'
import type { Mutant } from './mutant.js'
import { pulsarLogs } from './seams.js'

/** Field numbers of Pulsar's MessageMetadata. */
const field = {
  properties: 4,
  eventTime: 12,
  orderingKey: 18,
  markerType: 20,
  chunk: [26, 27, 28, 29],
} as const

/** Where a message's metadata begins: after magic, checksum and its size. */
const metadataAt = 10

/** A protobuf varint: its value, and where it ends. */
function varint(bytes: Buffer, start: number): readonly [value: number, end: number] {
  let value = 0
  let at = start
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++] ?? 0
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return [value, at]
  }
}

/** One protobuf message without some of its fields. */
function withoutFields(message: Buffer, dropped: readonly number[]): Buffer {
  const kept: Buffer[] = []
  for (let at = 0; at < message.length; ) {
    const [tag, valueAt] = varint(message, at)
    const [value, end] = varint(message, valueAt)
    const next = (tag & 7) === 2 ? end + value : end
    if (!dropped.includes(tag >>> 3)) kept.push(message.subarray(at, next))
    at = next
  }
  return Buffer.concat(kept)
}

/** What a SEND carries after the command, without some fields of its metadata. */
function sentWithout(headersAndPayload: Buffer, dropped: readonly number[]): Buffer {
  const payloadAt = metadataAt + headersAndPayload.readUInt32BE(metadataAt - 4)
  const metadata = withoutFields(headersAndPayload.subarray(metadataAt, payloadAt), dropped)
  return Buffer.concat(frameHeadersAndPayload(metadata, [headersAndPayload.subarray(payloadAt)]))
}

/** What Pulsar producers send is stored without these fields of its metadata. */
const storedWithout = (...dropped: readonly number[]): PartReplacements =>
  pulsarLogs((log) => ({
    appendPulsar: (send) =>
      log.appendPulsar({ ...send, headersAndPayload: sentWithout(send.headersAndPayload, dropped) }),
  }))

/** Markers are taken for messages before anyone looks at them. */
function takeMarkers(): void {
  const right = handlers.SEND
  if (right === undefined) throw new Error('there is no SEND')
  Object.assign(handlers, {
    SEND: (...[session, body, rest]: Parameters<typeof right>) =>
      right(session, { ...body, marker: false }, sentWithout(rest, [field.markerType])),
  })
}

/** Changes what consumers ask for when they subscribe. */
const subscribing = (change: (body: CommandBody<'SUBSCRIBE'>) => CommandBody<'SUBSCRIBE'>) => () => {
  const right = handlers.SUBSCRIBE
  if (right === undefined) throw new Error('there is no SUBSCRIBE')
  Object.assign(handlers, {
    SUBSCRIBE: (...[session, body, rest]: Parameters<typeof right>) => right(session, change(body), rest),
  })
}

const asShared = (type: number) =>
  subscribing((body) => (body.subType === type ? { ...body, subType: SubscriptionType.Shared } : body))

/** Neither "earliest" nor "latest", which have ids that no message has. */
const isOfMessage = ({ ledgerId, entryId }: MessageIdData) =>
  ledgerId >= 0 && entryId >= 0 && entryId < Number.MAX_SAFE_INTEGER

/** Every so many sends of a partition. */
const lostEvery = 5

/** What Pulsar clients write and are given. */
export const pulsarMutants: readonly Mutant[] = [
  {
    name: 'pulsar-send-lost',
    breaks: ['CO-1'],
    description: 'Every fifth send of a Pulsar producer is acknowledged and not stored.',
    replace: pulsarLogs((log) => {
      let sends = 0
      return {
        appendPulsar: async (send) => {
          sends++
          if (sends % lostEvery !== 0) return log.appendPulsar(send)
          const { position, index } = log.ledger.end
          return { position, firstIndex: index, duplicate: false }
        },
      }
    }),
  },
  {
    name: 'pulsar-send-stored-twice',
    breaks: ['CO-1'],
    description: 'Every fifth send of a Pulsar producer is stored twice.',
    replace: pulsarLogs((log) => {
      let sends = 0
      return {
        appendPulsar: async (send) => {
          sends++
          const outcome = await log.appendPulsar(send)
          if (sends % lostEvery === 0) await log.appendPulsar({ ...send, producerName: `again-${sends}` })
          return outcome
        },
      }
    }),
  },
  {
    name: 'single-message-properties-dropped',
    breaks: ['MC-4', 'MC-2'],
    description: 'Properties of messages that are sent one by one are not stored.',
    replace: storedWithout(field.properties),
  },
  {
    name: 'event-time-ignored',
    breaks: ['MC-9', 'MC-4'],
    description: 'Event times of messages that are sent one by one are not stored.',
    replace: storedWithout(field.eventTime),
  },
  {
    name: 'ordering-key-dropped',
    breaks: ['MC-8'],
    description: 'Ordering keys of messages that are sent one by one are not stored.',
    replace: storedWithout(field.orderingKey),
  },
  {
    name: 'chunks-shown',
    breaks: ['MC-15'],
    description: 'The pieces of a chunked message are messages of their own.',
    replace: storedWithout(...field.chunk),
  },
  {
    name: 'markers-shown',
    breaks: ['MC-18'],
    description: 'Markers are stored as messages, which both sides see.',
    install: takeMarkers,
  },
  {
    name: 'kafka-does-not-wake-pulsar',
    breaks: ['PH-2'],
    description: 'Waiting Pulsar consumers do not hear of new messages.',
    replace: pulsarLogs(() => ({ onAppend: () => () => {} })),
  },
  {
    name: 'reader-starts-one-later',
    breaks: ['CO-10'],
    description: 'A reader that starts at a message id begins an entry later.',
    install: subscribing((body) => {
      const { startMessageId, durable } = body
      if (durable !== false || startMessageId === undefined || !isOfMessage(startMessageId)) return body
      return { ...body, startMessageId: { ...startMessageId, entryId: startMessageId.entryId + 1 } }
    }),
  },
  {
    name: 'exclusive-is-shared',
    breaks: ['CO-9'],
    description: 'Exclusive subscriptions take any number of consumers.',
    install: asShared(SubscriptionType.Exclusive),
  },
  {
    name: 'failover-is-shared',
    breaks: ['CO-9'],
    description: 'Failover subscriptions give messages to all of their consumers.',
    install: asShared(SubscriptionType.Failover),
  },
  {
    name: 'key-shared-is-shared',
    breaks: ['CO-12'],
    description: 'Key-shared subscriptions give the messages of one key to several consumers.',
    install: asShared(SubscriptionType.Key_Shared),
  },
]
