import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../../entry-format/test-kit.js'
import type { EntryFormatName } from '../../entry-format/types.js'
import { offsetMapping } from '../../offsets/index.js'
import { openPartition, TestTopics, topicName } from '../testing.js'
import type { PartitionLog } from '../types.js'
import {
  compacted,
  type Keyed,
  lastValues,
  readCompacted,
  readKafka,
  type Seen,
  writeKafka,
  writePulsar,
} from './testing.js'

const rounds = 40

/** Random histories of both sides' producers, under every entry format and offset mapping. */
for (const mapping of ['index', 'packed', 'wrapper'] as const) {
  for (const entryFormat of ['pulsar', 'kafka'] as const satisfies readonly EntryFormatName[]) {
    for (const seed of [1, 2]) {
      test(`readers of a compacted log have the last values: ${mapping}, ${entryFormat}, seed ${seed}`, async () => {
        const scene = new TestTopics()
        const topics = await scene.open({
          mapping: offsetMapping(mapping),
          entryFormat,
          retentionCheckMs: 1 << 30,
        })
        await topics.create(topicName('history'), { partitions: 1, configs: { 'cleanup.policy': 'compact' } })
        const log = await openPartition(topics, 'history')
        await new History(log, seeded(seed), mapping === 'wrapper' ? 1 : 6).run()
        await scene.remove()
      })
    }
  }
}

class History {
  readonly #log: PartitionLog
  readonly #below: (limit: number) => number
  readonly #batchMax: number
  readonly #written = new Map<bigint, Keyed>()
  #value = 0

  constructor(log: PartitionLog, below: (limit: number) => number, batchMax: number) {
    this.#log = log
    this.#below = below
    this.#batchMax = batchMax
  }

  async run(): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const chosen = this.#below(10)
      if (chosen === 0) await compacted(this.#log)
      else if (chosen === 1) await this.#compactMeanwhile()
      else await this.#write()
      if (this.#below(6) === 0) await this.#check()
    }
    await compacted(this.#log)
    await this.#check()
    // What stays: the last message of each key, and no other.
    const last = new Map([...this.#written].map(([offset, { key }]) => [key, offset] as const))
    const seen = await readKafka(this.#log, this.#log.startOffset())
    assert.deepEqual(
      seen.map(({ offset }) => offset),
      [...last.values()].sort((one, other) => Number(one - other)),
    )
  }

  async #compactMeanwhile(): Promise<void> {
    this.#log.compaction?.start()
    for (let times = 0; times < 3; times++) await this.#write()
    await this.#log.compaction?.idle()
  }

  async #write(): Promise<void> {
    const messages = Array.from({ length: 1 + this.#below(this.#batchMax) }, () => this.#message())
    const isKafka = this.#below(2) === 0
    const first = isKafka
      ? await writeKafka(this.#log, messages, { codec: this.#below(5) })
      : await writePulsar(this.#log, messages, messages.length > 1 || this.#below(2) === 0)
    for (const [index, message] of messages.entries()) this.#written.set(first + BigInt(index), message)
  }

  #message(): Keyed {
    return { key: `key-${this.#below(8)}`, value: this.#below(8) === 0 ? null : `${this.#value++}` }
  }

  async #check(): Promise<void> {
    const expected = lastValues([...this.#written.values()])
    for (const seen of [
      await readKafka(this.#log, this.#log.startOffset()),
      await readCompacted(this.#log),
    ]) {
      assert.deepEqual(lastValues(seen), expected)
      this.#isWritten(seen)
    }
    const offsets = [...this.#written.keys()]
    const from = offsets[this.#below(offsets.length)] ?? 0n
    const rest = await readKafka(this.#log, from, 1 + this.#below(500))
    assert.deepEqual(
      rest,
      (await readKafka(this.#log, this.#log.startOffset())).filter(({ offset }) => offset >= from),
    )
  }

  /** Each under its own offset, in order. */
  #isWritten(seen: readonly Seen[]): void {
    let before = -1n
    for (const { offset, key, value } of seen) {
      assert.deepEqual({ key, value }, this.#written.get(offset))
      assert.ok(offset > before)
      before = offset
    }
  }
}
