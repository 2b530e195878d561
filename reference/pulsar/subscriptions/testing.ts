import type { CommandBody, SubscriptionTypeName } from '../wire/commands.js'
import { Consumer, type ConsumerConnection } from './consumer.js'

export interface Received {
  readonly message: CommandBody<'MESSAGE'>
  readonly rest: Buffer
}

/** For tests: a consumer whose connection keeps what is sent, and tells when so many messages have come. */
export function testConsumer(options: {
  readonly name: string
  readonly id?: number
  readonly type?: SubscriptionTypeName
  readonly priority?: number
  readonly permits?: number
  readonly ranges?: readonly { start: number; end: number }[]
}): {
  readonly consumer: Consumer
  readonly received: Received[]
  /** ACTIVE_CONSUMER_CHANGE, as they came. */
  readonly activity: boolean[]
  receivedAtLeast(count: number): Promise<void>
} {
  const received: Received[] = []
  const activity: boolean[] = []
  let waiting: { count: number; resolve: () => void } | undefined
  const connection: ConsumerConnection = {
    remoteAddress: 'test',
    readsBrokerEntryMetadata: false,
    isWritable: () => true,
    send: (name, body) => {
      if (name === 'ACTIVE_CONSUMER_CHANGE' && 'isActive' in body) activity.push(body.isActive === true)
    },
    sendMessage: (message, rest) => {
      received.push({ message, rest: Buffer.concat(rest) })
      if (waiting !== undefined && received.length >= waiting.count) waiting.resolve()
    },
  }
  const consumer = new Consumer({
    id: options.id ?? 1,
    name: options.name,
    type: options.type ?? 'Shared',
    connection,
    priority: options.priority ?? 0,
    sticky: options.ranges === undefined ? undefined : { ranges: options.ranges },
    partition: -1,
    connectedSinceMs: 0,
    epoch: undefined,
    metadata: {},
  })
  consumer.permits = options.permits ?? 0
  const receivedAtLeast = (count: number) =>
    new Promise<void>((resolve) => {
      if (received.length >= count) resolve()
      else waiting = { count, resolve }
    })
  return { consumer, received, activity, receivedAtLeast }
}
