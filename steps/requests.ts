import type { RawBatch, RawRecords } from '../matrix/driver/raw-messages.js'
import { base64 } from './records.js'
import { Mismatch } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Single Kafka requests of scenarios, and what the steps read of their answers. */
export interface FetchedPartition {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly highWatermark: string
  readonly logStartOffset?: string
  readonly records: RawRecords
}

export interface FetchAnswer {
  readonly elapsedMs: number
  readonly errorCode: number
  readonly sessionId: number
  readonly partitions: readonly FetchedPartition[]
}

export interface ProducedPartition {
  readonly index: number
  readonly errorCode: number
  readonly baseOffset: string
  readonly logAppendTimeMs?: string
}

export interface FetchOptions {
  readonly partitions?: readonly number[]
  readonly offset?: string
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly connection?: string
}

const TEN_MIB = 10 * 1024 * 1024

export async function fetchRaw(world: ConformanceWorld, options: FetchOptions = {}): Promise<FetchAnswer> {
  const { partitions = [0], connection = 'default' } = options
  const topics = []
  for (const partition of partitions) {
    const fetchOffset = options.offset ?? (await firstOffset(world, partition))
    topics.push({ partition, fetchOffset, partitionMaxBytes: options.partitionMaxBytes ?? TEN_MIB })
  }
  const body = {
    maxWaitMs: options.maxWaitMs ?? 0,
    minBytes: options.minBytes ?? 1,
    maxBytes: options.maxBytes ?? TEN_MIB,
    sessionId: options.sessionId ?? 0,
    sessionEpoch: options.sessionEpoch ?? -1,
    topics: topics.length === 0 ? [] : [{ topic: world.topic().name, partitions: topics }],
  }
  const answer = await (await world.raw()).call('request', {
    connection,
    api: 'Fetch',
    body,
    timeoutMs: 40_000,
  })
  const {
    errorCode = 0,
    sessionId = 0,
    responses,
  } = answer.body as unknown as {
    errorCode?: number
    sessionId?: number
    responses: { partitions: FetchedPartition[] }[]
  }
  const seen = {
    elapsedMs: answer.elapsedMs,
    errorCode,
    sessionId,
    partitions: responses.flatMap((of) => of.partitions),
  }
  world.notes.set('fetched', seen)
  const [first] = seen.partitions
  world.notes.set('error', errorCode === 0 ? (first?.errorCode ?? 0) : errorCode)
  return seen
}

/** 0 where offsets are consecutive: nothing of these topics' beginnings is ever deleted. */
export async function firstOffset(world: ConformanceWorld, partition = 0): Promise<string> {
  if ((world.fact('ID-3') ?? 'index') === 'index') return '0'
  return (await offsetAt(world, '-2', partition)).offset
}

/** Batches for partitions, in one request. Answers in the order of the partitions' numbers. */
export async function produceRaw(
  world: ConformanceWorld,
  batches: Readonly<Record<number, RawBatch | readonly RawBatch[]>>,
  options: { version?: number; acks?: number } = {},
): Promise<ProducedPartition[]> {
  const body = produceBody(world, batches, options.acks)
  const version = options.version === undefined ? {} : { version: options.version }
  const answer = await (await world.raw()).call('request', { api: 'Produce', body, ...version })
  const { responses } = answer.body as unknown as { responses: { partitionResponses: ProducedPartition[] }[] }
  const produced = responses.flatMap((of) => of.partitionResponses).sort((a, b) => a.index - b.index)
  world.notes.set('produced', produced)
  world.notes.set('error', produced[0]?.errorCode ?? 0)
  return produced
}

export function produceBody(
  world: ConformanceWorld,
  batches: Readonly<Record<number, RawBatch | readonly RawBatch[]>>,
  acks = -1,
): Record<string, unknown> {
  const partitionData = Object.entries(batches).map(([index, records]) => ({ index: Number(index), records }))
  return { acks, timeoutMs: 10_000, topicData: [{ name: world.topic().name, partitionData }] }
}

export function randomBatch(world: ConformanceWorld, count: number, valueBytes = 12): RawBatch {
  const records = Array.from({ length: count }, () => ({
    key: base64(world.random.text(6)),
    value: world.random.bytes(valueBytes).toString('base64'),
    timestamp: String(world.nowMs - world.random.below(10_000)),
  }))
  return { records }
}

/** `at`: −1 latest, −2 earliest, else a time in milliseconds. */
export async function offsetAt(
  world: ConformanceWorld,
  at: string,
  partition = 0,
): Promise<{ errorCode: number; offset: string; timestamp: string }> {
  const partitions = [{ partitionIndex: partition, timestamp: at }]
  const body = { topics: [{ name: world.topic().name, partitions }], timeoutMs: 10_000 }
  const answer = await (await world.raw()).call('request', { api: 'ListOffsets', body })
  const { topics } = answer.body as unknown as {
    topics: { partitions: { errorCode: number; offset: string; timestamp: string }[] }[]
  }
  const [found] = topics.flatMap((topic) => topic.partitions)
  if (found === undefined) throw new Mismatch('the answer to ListOffsets', 'the partition', topics)
  return found
}

/** Every record of a partition, fetched from its first offset on. */
export async function recordsIn(
  world: ConformanceWorld,
  partition = 0,
): Promise<RawRecords['batches'][number]['records']> {
  let { offset } = await offsetAt(world, '-2', partition)
  const records: RawRecords['batches'][number]['records'] = []
  for (;;) {
    const { partitions } = await fetchRaw(world, { partitions: [partition], offset })
    const batches = partitions[0]?.records.batches ?? []
    const last = batches.at(-1)
    if (last === undefined) return records
    records.push(...batches.filter(({ isControl }) => !isControl).flatMap((batch) => batch.records))
    offset = (BigInt(last.baseOffset) + BigInt(last.lastOffsetDelta) + 1n).toString()
  }
}

export async function errorName(world: ConformanceWorld, code: number): Promise<string> {
  return (await (await world.raw()).call('errorName', { code })).name
}

export interface TopicMetadata {
  readonly errorCode: number
  readonly name: string
  readonly topicId?: string
  readonly isInternal: boolean
  readonly partitions: readonly { readonly partitionIndex: number; readonly leaderId: number }[]
}

export interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly topics: readonly TopicMetadata[]
}

/** @param names null: all topics */
export async function metadataRaw(
  world: ConformanceWorld,
  names: readonly string[] | null,
  allowAutoTopicCreation = false,
): Promise<MetadataAnswer> {
  const topics = names === null ? null : names.map((name) => ({ name }))
  const answer = await (await world.raw()).call('request', {
    api: 'Metadata',
    body: { topics, allowAutoTopicCreation },
  })
  return answer.body as unknown as MetadataAnswer
}
