import { asPartitionIndex } from '../base/brand.js'
import { systemClock } from '../base/clock.js'
import { framePulsar, readTestBatch, testBatch } from '../entry-format/test-kit.js'
import type { KafkaBatch } from '../entry-format/types.js'
import { offsetMapping } from '../offsets/index.js'
import type { EmbeddedStorageOptions } from '../storage/embedded/index.js'
import { rememberingLog, type ScratchStore, scratchStore } from '../storage/embedded/testing.js'
import type { Storage } from '../storage/types.js'
import type { StoredTopics } from './catalog.js'
import { type CreateTopicsOptions, createTopics } from './index.js'
import {
  isRefusal,
  type KafkaFetched,
  type PartitionLog,
  type PulsarSend,
  type Refusal,
  type TopicName,
} from './types.js'

export const topicName = (local: string): TopicName => ({ tenant: 'public', namespace: 'default', local })

/** For tests: topics over a store in a directory of their own, that can be closed and opened again. */
export class TestTopics {
  readonly scratch: ScratchStore = scratchStore()
  readonly log = rememberingLog()
  #storage: Storage | undefined
  #topics: StoredTopics | undefined

  async open(
    options: Partial<CreateTopicsOptions> = {},
    storageOptions: Partial<EmbeddedStorageOptions> = {},
  ): Promise<StoredTopics> {
    await this.close()
    const clock = options.clock ?? systemClock
    this.#storage = await this.scratch.open({ clock, ...storageOptions })
    this.#topics = await createTopics({
      storage: this.#storage,
      clock,
      log: this.log,
      mapping: offsetMapping('index'),
      entryFormat: 'pulsar',
      ...options,
    })
    return this.#topics
  }

  /** As a kill would leave it when `saveProducers` is false. */
  async close(saveProducers = true): Promise<void> {
    if (saveProducers) await this.#topics?.close()
    await this.#storage?.close()
    this.#topics = undefined
    this.#storage = undefined
  }

  async remove(): Promise<void> {
    await this.close()
    this.scratch.remove()
  }
}

export function accepted<T extends object>(value: T | Refusal): T {
  if (isRefusal(value)) throw new Error(`${value.refused}: ${value.message}`)
  return value
}

export const refusedAs = (value: object): string => (isRefusal(value) ? value.refused : 'accepted')

/** Partition 0 of a topic, made when it is not there. */
export async function openPartition(
  topics: StoredTopics,
  local: string,
  partition = 0,
): Promise<PartitionLog> {
  const topic =
    topics.find(topicName(local)) ?? accepted(await topics.create(topicName(local), { partitions: 1 }))
  return accepted(await topics.partition(topic, asPartitionIndex(partition)))
}

export interface Sequence {
  readonly producerId: bigint
  readonly baseSequence: number
  readonly producerEpoch?: number
}

/** A batch of one record for each text. */
export function batchOf(
  texts: readonly string[],
  sequence?: Sequence,
  timestampMs = 1000,
): Promise<KafkaBatch> {
  return testBatch(
    texts.map((text, at) => ({
      timestampMs: timestampMs + at,
      key: null,
      value: Buffer.from(text),
      headers: [],
    })),
    sequence === undefined ? {} : { producerEpoch: 0, ...sequence },
  )
}

export function sendOf(text: string, sequenceId: number, fields: object = {}): PulsarSend {
  return {
    headersAndPayload: framePulsar(
      { producerName: 'pulsar-producer', sequenceId, ...fields },
      Buffer.from(text),
    ),
    messageCount: 1,
    producerName: 'pulsar-producer',
    sequenceId: BigInt(sequenceId),
    highestSequenceId: BigInt(sequenceId),
  }
}

/** Each record of a fetch as `offset:value`, after checking every batch's checksum and offsets. */
export async function recordsIn(fetched: KafkaFetched): Promise<string[]> {
  const bytes = Buffer.concat(fetched.records)
  const seen: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    const batch = await readTestBatch([bytes.subarray(at, end)])
    batch.records.forEach(({ value }, index) => {
      seen.push(`${batch.baseOffset + BigInt(batch.offsetDeltas[index] ?? 0)}:${value}`)
    })
    at = end
  }
  return seen
}

export const everything = { maxBytes: 1 << 30, atLeastOne: true }
