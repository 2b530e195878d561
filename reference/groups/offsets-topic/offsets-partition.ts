import { asMessageIndex, type MessageIndex } from '../../base/brand.js'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import { BatchBuilder } from '../../kafka/wire/batch-builder.js'
import { readBatch } from '../../kafka/wire/record-batch.js'
import { StorageError } from '../../storage/types.js'
import { isRefusal, type PartitionLog } from '../../topics/types.js'
import type { GroupChange } from '../group-store.js'
import { TooLargeToStore } from '../offset-store.js'
import { LiveState } from './live-state.js'
import { loadPartition } from './load.js'
import { type OffsetsRecord, recordOf } from './record-format.js'

/** When a partition's log is rewritten: see README.md, Compaction. */
export interface CompactionRule {
  /** A log of fewer records is left alone. */
  readonly recordsMin: number
  /** How many times more records than live keys a log may have. */
  readonly ratioMax: number
}

export interface OffsetsPartitionOptions {
  readonly open: () => Promise<PartitionLog>
  readonly clock: Clock
  readonly log: Log
  /** Records that wait together go out in batches of up to so many bytes. */
  readonly batchBytesMax: number
  readonly compaction: CompactionRule
  /** Told of each change when it is durable and in `state`, in order. */
  readonly onChange: (change: GroupChange) => void
}

interface Waiting {
  /** Worked out when all before it has taken effect; null: `records` stand already. */
  readonly later: (() => readonly GroupChange[]) | null
  readonly changes: readonly GroupChange[]
  readonly records: readonly OffsetsRecord[]
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Compaction {
  /** All before it goes when the live records are written again. */
  readonly boundary: MessageIndex
  readonly rest: Iterator<GroupChange>
}

/** Lengths, deltas and Pulsar's metadata of a record, generously. */
const recordOverheadBytes = 100
const rewrittenRecordsPerBatch = 1000

/**
 * One partition of the offsets topic: its live state, and the only writer of its log. One batch is under way at a time;
 * what comes meanwhile goes along in the next (group commit). A change takes effect in `state` when it is durable.
 */
export class OffsetsPartition {
  readonly state = new LiveState()
  readonly #options: OffsetsPartitionOptions
  #opened: Promise<PartitionLog> | undefined
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #compaction: Compaction | undefined
  /** Not before the log has so many records: after a failure, not at once again. */
  #compactFromRecords = 0
  #closed = false

  constructor(options: OffsetsPartitionOptions) {
    this.#options = options
  }

  /** Takes up what is stored. */
  async load(): Promise<void> {
    const { log } = this.#options
    const partition = await this.#open()
    await loadPartition(partition, this.state, (place, reason) =>
      log.warn({ topic: partition.pulsarName, ...place, reason }, 'a record of the offsets topic is skipped'),
    )
    if (this.#mustCompact(partition)) this.#wake()
  }

  /** Resolves when the changes are durable and in `state`. */
  async append(changes: readonly GroupChange[]): Promise<void> {
    if (changes.length === 0) return
    const records = changes.map(recordOf)
    await this.#submit({ later: null, changes, records, bytes: bytesOf(records) })
  }

  /** The same for changes that depend on what all earlier ones leave. */
  appendLater(later: () => readonly GroupChange[]): Promise<void> {
    return this.#submit({ later, changes: [], records: [], bytes: 0 })
  }

  /** Waits for what was asked for; a compaction is broken off, which loses nothing. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#running !== undefined) await this.#running
  }

  #submit(task: Omit<Waiting, 'resolve' | 'reject'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, ...task })
      this.#wake()
    })
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#waiting.length > 0) this.#wake()
    })
  }

  #open(): Promise<PartitionLog> {
    if (this.#opened !== undefined) return this.#opened
    const opening = this.#options.open()
    const forget = (): void => {
      if (this.#opened === opening) this.#opened = undefined
    }
    this.#opened = opening
    opening.then((partition) => partition.onClosed(forget), forget)
    return opening
  }

  async #run(): Promise<void> {
    // Requests that arrive in the same turn of the event loop go along.
    await new Promise<void>((resolve) => setImmediate(resolve))
    for (;;) {
      if (this.#closed) this.#compaction = undefined
      else await this.#compactSome()
      const tasks = this.#take()
      if (tasks.length > 0) await this.#perform(tasks)
      else if (this.#compaction === undefined) return
    }
  }

  /** What goes out together: nothing that must see the others' effect. */
  #take(): readonly Waiting[] {
    let bytes = 0
    let count = 0
    for (const task of this.#waiting) {
      if (count > 0 && (task.later !== null || bytes + task.bytes > this.#options.batchBytesMax)) break
      bytes += task.bytes
      count++
      if (task.later !== null) break
    }
    return this.#waiting.splice(0, count)
  }

  async #perform(tasks: readonly Waiting[]): Promise<void> {
    try {
      for (const { later, changes, records } of tasks.length === 1 ? tasks : [merged(tasks)]) {
        const late = later?.()
        await this.#write(late ?? changes, late?.map(recordOf) ?? records)
      }
      for (const task of tasks) task.resolve()
    } catch (error) {
      for (const task of tasks) task.reject(error)
    }
  }

  /** In as few batches as may be; mostly one. */
  async #write(changes: readonly GroupChange[], records: readonly OffsetsRecord[]): Promise<void> {
    for (let from = 0; from < records.length; ) {
      const to = endOfBatch(records, from, this.#options.batchBytesMax)
      await this.#append(records.slice(from, to))
      for (const change of changes.slice(from, to)) {
        this.state.apply(change)
        this.#options.onChange(change)
      }
      from = to
    }
  }

  /**
   * @throws StorageError when the store cannot take it: nothing of the batch is then ever read
   * @throws TooLargeToStore when a group, or what is committed with an offset, is more than a message may be
   */
  async #append(records: readonly OffsetsRecord[]): Promise<void> {
    const partition = await this.#open()
    const batch = new BatchBuilder(bytesOf(records))
    const nowMs = this.#options.clock.nowMs()
    for (const { key, value } of records) batch.add(nowMs, key, value)
    const appended = await partition.appendKafka(readBatch(await batch.finish()))
    if (!isRefusal(appended)) return
    if (appended.refused === 'KAFKA_STORAGE_ERROR') throw new StorageError(appended.message)
    if (appended.refused === 'MESSAGE_TOO_LARGE') throw new TooLargeToStore(appended.message)
    throw new Error(`${partition.pulsarName}: ${appended.refused}: ${appended.message}`)
  }

  #mustCompact({ ledger }: PartitionLog): boolean {
    const { recordsMin, ratioMax } = this.#options.compaction
    const records = ledger.end.index - ledger.start.index
    return records >= Math.max(recordsMin, ratioMax * this.state.keyCount, this.#compactFromRecords)
  }

  /** Begins, goes on with or ends a compaction; commits go between its batches. */
  async #compactSome(): Promise<void> {
    const partition = await this.#opened
    if (partition === undefined) return
    try {
      if (this.#compaction === undefined) {
        if (!this.#mustCompact(partition)) return
        this.#compaction = await this.#begin(partition)
      }
      const changes = taken(this.#compaction.rest, rewrittenRecordsPerBatch)
      if (changes.length > 0) await this.#rewrite(changes)
      else await this.#end(partition, this.#compaction)
    } catch (err) {
      this.#compaction = undefined
      this.#putOff(partition)
      const message = 'the offsets topic could not be compacted; it will be tried again'
      this.#options.log.warn({ topic: partition.pulsarName, err }, message)
    }
  }

  /** From here on a new ledger: the old ones go as a whole. */
  async #begin({ ledger }: PartitionLog): Promise<Compaction> {
    await ledger.rollOver()
    return { boundary: ledger.end.index, rest: this.state.everything()[Symbol.iterator]() }
  }

  async #rewrite(changes: readonly GroupChange[]): Promise<void> {
    const records = changes.map(recordOf)
    for (let from = 0; from < records.length; ) {
      const to = endOfBatch(records, from, this.#options.batchBytesMax)
      await this.#append(records.slice(from, to))
      from = to
    }
  }

  /** All that is live stands behind the boundary, durably. */
  async #end(partition: PartitionLog, { boundary }: Compaction): Promise<void> {
    const { ledger } = partition
    const before = ledger.end.index - ledger.start.index
    await ledger.trim(asMessageIndex(boundary))
    this.#compaction = undefined
    this.#compactFromRecords = 0
    const records = ledger.end.index - ledger.start.index
    this.#options.log.info(
      { topic: partition.pulsarName, before, records },
      'the offsets topic was compacted',
    )
  }

  #putOff({ ledger }: PartitionLog): void {
    const { recordsMin } = this.#options.compaction
    this.#compactFromRecords = ledger.end.index - ledger.start.index + recordsMin
  }
}

const bytesOf = (records: readonly OffsetsRecord[]): number =>
  records.reduce((sum, record) => sum + recordBytes(record), 0)

const recordBytes = ({ key, value }: OffsetsRecord): number =>
  // A key may stand in base64.
  Math.ceil((key.length * 4) / 3) + (value?.length ?? 0) + recordOverheadBytes

/** At least one record. */
function endOfBatch(records: readonly OffsetsRecord[], from: number, bytesMax: number): number {
  let bytes = 0
  for (let to = from; to < records.length; to++) {
    const record = records[to]
    bytes += record === undefined ? 0 : recordBytes(record)
    if (to > from && bytes > bytesMax) return to
  }
  return records.length
}

function merged(tasks: readonly Waiting[]): Pick<Waiting, 'later' | 'changes' | 'records'> {
  return {
    later: null,
    changes: tasks.flatMap(({ changes }) => changes),
    records: tasks.flatMap(({ records }) => records),
  }
}

function taken<T>(iterator: Iterator<T>, countMax: number): readonly T[] {
  const items: T[] = []
  while (items.length < countMax) {
    const next = iterator.next()
    if (next.done === true) break
    items.push(next.value)
  }
  return items
}
