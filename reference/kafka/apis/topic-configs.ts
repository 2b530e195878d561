import { type Refusal, refuse } from '../../topics/types.js'

/** Kafka's numbers for a config's type and for where its value comes from (KIP-226, KIP-569). */
export const configType = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const
export const configSource = { topic: 1, staticBroker: 4, default: 5 } as const

export interface TopicConfig {
  readonly name: string
  readonly type: keyof typeof configType
  /** Text, as Kafka's tools show it. */
  readonly fallback: string
  /** The broker config that it is a topic's own value of; undefined for those that only topics have. */
  readonly synonym: string | undefined
  /** @returns what is wrong with a value, or null. */
  readonly fault: (value: string) => string | null
  readonly help: string
}

const longMax = 2n ** 63n - 1n
const intMax = 2n ** 31n - 1n

function whole(type: 'int' | 'long', min: bigint): Pick<TopicConfig, 'type' | 'fault'> {
  const max = type === 'int' ? intMax : longMax
  return {
    type,
    fault: (value) =>
      /^-?\d{1,19}$/.test(value) && BigInt(value) >= min && BigInt(value) <= max
        ? null
        : `expected a whole number from ${min} to ${max}`,
  }
}

const oneOf = (...choices: readonly string[]): Pick<TopicConfig, 'type' | 'fault'> => ({
  type: 'string',
  fault: (value) => (choices.includes(value) ? null : `expected one of ${choices.join(', ')}`),
})

const listOf = (...choices: readonly string[]): Pick<TopicConfig, 'type' | 'fault'> => ({
  type: 'list',
  fault: (value) =>
    listItems(value).length > 0 && listItems(value).every((item) => choices.includes(item))
      ? null
      : `expected some of ${choices.join(', ')}, by commas`,
})

const flag: Pick<TopicConfig, 'type' | 'fault'> = {
  type: 'boolean',
  fault: (value) => (/^(true|false)$/i.test(value) ? null : 'expected true or false'),
}

export const listItems = (value: string): readonly string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/**
 * The topic configs that can be set. Those that Kafka has for its own files (segments, indexes, flushing) are accepted and
 * shown, as tools and frameworks set them unasked; here the managed ledger's settings decide. All else is refused by name.
 * Defaults keep data, as Pulsar's retention does not count the days.
 */
export const topicConfigs = (broker: { readonly messageBytesMax: number }): readonly TopicConfig[] => [
  {
    name: 'cleanup.policy',
    ...listOf('delete', 'compact'),
    fallback: 'delete',
    synonym: 'log.cleanup.policy',
    help: 'delete: old records go by time and size; compact: the last value of each key is kept.',
  },
  {
    name: 'compression.type',
    ...oneOf('producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'),
    fallback: 'producer',
    synonym: 'compression.type',
    help: 'The compression that is wished for; batches are kept as their producer compressed them.',
  },
  {
    name: 'delete.retention.ms',
    ...whole('long', 0n),
    fallback: '86400000',
    synonym: 'log.cleaner.delete.retention.ms',
    help: 'How long tombstones are kept at least, from the compaction that first comes to them, in milliseconds.',
  },
  {
    name: 'file.delete.delay.ms',
    ...whole('long', 0n),
    fallback: '60000',
    synonym: 'log.segment.delete.delay.ms',
    help: 'Not used: the managed ledger frees space by itself.',
  },
  {
    name: 'flush.messages',
    ...whole('long', 1n),
    fallback: String(longMax),
    synonym: 'log.flush.interval.messages',
    help: 'Not used: the store is durable by its own policy before it acknowledges.',
  },
  {
    name: 'flush.ms',
    ...whole('long', 0n),
    fallback: String(longMax),
    synonym: 'log.flush.interval.ms',
    help: 'Not used: the store is durable by its own policy before it acknowledges.',
  },
  {
    name: 'index.interval.bytes',
    ...whole('int', 0n),
    fallback: '4096',
    synonym: 'log.index.interval.bytes',
    help: 'Not used: the managed ledger has indexes of its own.',
  },
  {
    name: 'max.compaction.lag.ms',
    ...whole('long', 1n),
    fallback: String(longMax),
    synonym: 'log.cleaner.max.compaction.lag.ms',
    help: 'Not used: compaction begins by min.cleanable.dirty.ratio alone.',
  },
  {
    name: 'max.message.bytes',
    ...whole('int', 0n),
    fallback: String(broker.messageBytesMax),
    synonym: 'message.max.bytes',
    help: 'The largest record batch accepted, in bytes, compressed.',
  },
  {
    name: 'message.timestamp.type',
    ...oneOf('CreateTime', 'LogAppendTime'),
    fallback: 'CreateTime',
    synonym: 'log.message.timestamp.type',
    help: 'CreateTime: the producer stamps records; LogAppendTime: the broker does.',
  },
  {
    name: 'min.cleanable.dirty.ratio',
    type: 'double',
    fault: (value) =>
      value.trim() !== '' && Number(value) >= 0 && Number(value) <= 1
        ? null
        : 'expected a number from 0 to 1',
    fallback: '0.5',
    synonym: 'log.cleaner.min.cleanable.ratio',
    help: 'The share of a log, by records, that is to be new before compaction begins.',
  },
  {
    name: 'min.compaction.lag.ms',
    ...whole('long', 0n),
    fallback: '0',
    synonym: 'log.cleaner.min.compaction.lag.ms',
    help: 'Not used: compaction goes up to the end of the log.',
  },
  {
    name: 'min.insync.replicas',
    ...whole('int', 1n),
    fallback: '1',
    synonym: 'min.insync.replicas',
    help: 'Not used: replication is the quorum of the store.',
  },
  {
    name: 'preallocate',
    ...flag,
    fallback: 'false',
    synonym: 'log.preallocate',
    help: 'Not used: the managed ledger lays out its own files.',
  },
  {
    name: 'retention.bytes',
    ...whole('long', -1n),
    fallback: '-1',
    synonym: 'log.retention.bytes',
    help: 'How many bytes of a partition are kept; -1: any number.',
  },
  {
    name: 'retention.ms',
    ...whole('long', -1n),
    fallback: '-1',
    synonym: 'log.retention.ms',
    help: 'How long records are kept, in milliseconds; -1: for ever.',
  },
  {
    name: 'segment.bytes',
    ...whole('int', 14n),
    fallback: '1073741824',
    synonym: 'log.segment.bytes',
    help: 'Not used: ledgers roll over by the settings of the broker.',
  },
  {
    name: 'segment.index.bytes',
    ...whole('int', 4n),
    fallback: '10485760',
    synonym: 'log.index.size.max.bytes',
    help: 'Not used: the managed ledger has indexes of its own.',
  },
  {
    name: 'segment.jitter.ms',
    ...whole('long', 0n),
    fallback: '0',
    synonym: 'log.roll.jitter.ms',
    help: 'Not used: ledgers roll over by the settings of the broker.',
  },
  {
    name: 'segment.ms',
    ...whole('long', 1n),
    fallback: '604800000',
    synonym: 'log.roll.ms',
    help: 'Not used: ledgers roll over by the settings of the broker.',
  },
  {
    name: 'unclean.leader.election.enable',
    ...flag,
    fallback: 'false',
    synonym: 'unclean.leader.election.enable',
    help: 'Not used: an owner is never behind the store.',
  },
]

/** @returns INVALID_CONFIG for the first config that is unknown or has a wrong value. */
export function checkTopicConfigs(
  configs: Readonly<Record<string, string>>,
  broker: { readonly messageBytesMax: number },
): Refusal | null {
  const known = new Map(topicConfigs(broker).map((config) => [config.name, config]))
  for (const [name, value] of Object.entries(configs)) {
    const config = known.get(name)
    if (config === undefined) return refuse('INVALID_CONFIG', `there is no topic config ${name}`)
    const fault = config.fault(value)
    if (fault !== null) return refuse('INVALID_CONFIG', `${name}=${value}: ${fault}`)
  }
  return null
}

export interface EffectiveConfig {
  readonly config: TopicConfig
  readonly value: string
  readonly source: number
}

/** Every config of a topic with the value that counts: its own, else the broker's. */
export function effectiveConfigs(
  configs: Readonly<Record<string, string>>,
  broker: { readonly messageBytesMax: number },
): readonly EffectiveConfig[] {
  return topicConfigs(broker).map((config) => {
    const own = configs[config.name]
    return own === undefined
      ? { config, value: config.fallback, source: configSource.default }
      : { config, value: own, source: configSource.topic }
  })
}

/** The largest batch that a topic takes. */
export function topicMessageBytesMax(
  configs: Readonly<Record<string, string>>,
  broker: { readonly messageBytesMax: number },
): number {
  const own = configs['max.message.bytes']
  return own === undefined ? broker.messageBytesMax : Math.min(Number(own), broker.messageBytesMax)
}
