import type { TimestampType } from '../entry-format/types.js'
import { type Refusal, refuse } from './types.js'

/** What a topic's Kafka configs mean to its partitions; −1: without limit, as Kafka writes it. */
export interface TopicSettings {
  readonly timestampType: TimestampType
  /** Bytes of the largest batch accepted. */
  readonly messageBytesMax: number
  readonly retentionMs: number
  readonly retentionBytes: number
  /** Present when `cleanup.policy` has `compact`. */
  readonly compaction?: CompactionSettings | undefined
}

export interface CompactionSettings {
  /** The policy has `delete` as well: retention drops old messages. */
  readonly deletes: boolean
  /** How long tombstones are kept at least, from the compaction that first came to them. */
  readonly deleteRetentionMs: number
  /** The share of the messages to read that must be new, from 0 to 1, for a compaction to begin by itself. */
  readonly dirtyRatioMin: number
}

const wholeNumber = (minimum: number) => (text: string) =>
  /^-?\d{1,19}$/.test(text) && Number(text) >= minimum ? undefined : `a whole number of at least ${minimum}`

/** Configs with an effect here, each with what its value must be. Others are kept as they are. */
const rules: Readonly<Record<string, (text: string) => string | undefined>> = {
  'message.timestamp.type': (text) =>
    text === 'CreateTime' || text === 'LogAppendTime' ? undefined : 'CreateTime or LogAppendTime',
  'max.message.bytes': wholeNumber(0),
  'retention.ms': wholeNumber(-1),
  'retention.bytes': wholeNumber(-1),
}

export function checkConfigs(configs: Readonly<Record<string, string>>): Refusal | undefined {
  for (const [name, value] of Object.entries(configs)) {
    const expected = rules[name]?.(value)
    if (expected !== undefined) return refuse('INVALID_CONFIG', `${name}=${value}: expected ${expected}.`)
  }
  return undefined
}

export function topicSettings(
  configs: Readonly<Record<string, string>>,
  defaults: TopicSettings,
): TopicSettings {
  const number = (name: string, fallback: number): number => Number(configs[name] ?? fallback)
  return {
    timestampType:
      configs['message.timestamp.type'] === 'LogAppendTime'
        ? 'LogAppendTime'
        : defaultType(configs, defaults),
    messageBytesMax: number('max.message.bytes', defaults.messageBytesMax),
    retentionMs: number('retention.ms', defaults.retentionMs),
    retentionBytes: number('retention.bytes', defaults.retentionBytes),
    compaction: compactionSettings(configs) ?? defaults.compaction,
  }
}

const dayMs = 86_400_000

function compactionSettings(configs: Readonly<Record<string, string>>): CompactionSettings | undefined {
  const policies = (configs['cleanup.policy'] ?? '').split(',').map((policy) => policy.trim())
  if (!policies.includes('compact')) return undefined
  return {
    deletes: policies.includes('delete'),
    deleteRetentionMs: Number(configs['delete.retention.ms'] ?? dayMs),
    dirtyRatioMin: Number(configs['min.cleanable.dirty.ratio'] ?? 0.5),
  }
}

const defaultType = (configs: Readonly<Record<string, string>>, defaults: TopicSettings): TimestampType =>
  configs['message.timestamp.type'] === 'CreateTime' ? 'CreateTime' : defaults.timestampType
