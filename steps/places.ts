import { readByKafka } from './consume.js'
import { offsetAt, recordsIn } from './requests.js'
import { holds, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/*
 * Scenarios count: "offset 3" is the place of a partition's fourth record. Under `index` the place is the offset. Under
 * the other mappings (ID-3) it has an offset that only the log tells, and the place after the last record has any offset
 * beyond the last one's.
 */

/** A partition of one of the scenario's topics, which are counted from 1. Requests of no client's read only the first. */
export interface At {
  readonly partition?: number
  readonly topic?: number
}

export const isConsecutive = (world: ConformanceWorld): boolean => (world.fact('ID-3') ?? 'index') === 'index'

/** What the log has shown so far, records that are gone since included. */
async function offsetsByPlace(
  world: ConformanceWorld,
  { partition = 0, topic = 1 }: At = {},
): Promise<readonly string[]> {
  const note = `offsets of partition ${partition} of topic ${topic}, by place`
  const known = (world.notes.get(note) as string[] | undefined) ?? []
  // All that was written is known: what has gone since would only be missed.
  if (topic === 1 && known.length > 0 && known.length === world.writtenTo(partition).length) return known
  const { name } = world.topic(topic)
  const records =
    world.parameters.kafka === undefined
      ? await recordsIn(world)
      : await readByKafka(world, { partition, topic: name })
  const last = known.at(-1)
  const newer = records
    .map(({ offset }) => offset)
    .filter((each) => last === undefined || BigInt(each) > BigInt(last))
  const all = [...known, ...newer]
  world.notes.set(note, all)
  return all
}

/** The offset that a client gives to mean a place. */
export async function offsetOf(world: ConformanceWorld, place: number, at: At = {}): Promise<string> {
  if (isConsecutive(world)) return String(place)
  const offsets = await offsetsByPlace(world, at)
  const known = offsets[place]
  if (known !== undefined) return known
  const end = world.parameters.kafka === undefined ? await endByRaw(world) : await endByKafka(world, at)
  return (BigInt(end) + BigInt(place - offsets.length)).toString()
}

const endByRaw = async (world: ConformanceWorld): Promise<string> => (await offsetAt(world, '-1')).offset

async function endByKafka(world: ConformanceWorld, { partition = 0, topic = 1 }: At): Promise<string> {
  const args = { topic: world.topic(topic).name, partition, at: 'latest' as const }
  return (await (await world.kafka()).call('listOffsets', args)).offset
}

/** The offset seen is that of the place. */
export async function sameOffset(
  what: string,
  world: ConformanceWorld,
  place: number,
  seen: string | undefined,
  at: At = {},
): Promise<void> {
  if (isConsecutive(world) || place < 0) return same(what, String(place), seen)
  const offsets = await offsetsByPlace(world, at)
  const known = offsets[place]
  if (known !== undefined) return same(what, known, seen)
  const last = offsets.at(-1)
  const isBeyond = seen !== undefined && (last === undefined || BigInt(seen) > BigInt(last))
  holds(what, isBeyond, `beyond ${last ?? 'nothing'}`, seen)
}

/**
 * The offset seen is one to go on reading at a place from: where offsets are not consecutive, clients that have read what
 * lies before commit the offset after it.
 */
export async function sameNext(
  what: string,
  world: ConformanceWorld,
  place: number,
  seen: string,
  at: At = {},
): Promise<void> {
  if (isConsecutive(world)) return same(what, String(place), seen)
  const offsets = await offsetsByPlace(world, at)
  const [before, next] = [offsets[place - 1], offsets[place]]
  const isAfter = before === undefined || BigInt(seen) > BigInt(before)
  const isNext = isAfter && (next === undefined || BigInt(seen) <= BigInt(next))
  holds(what, isNext && seen !== '-1', `after ${before ?? 'nothing'}, up to ${next ?? 'any'}`, seen)
}
