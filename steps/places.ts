import { readByKafka } from './consume.js'
import { offsetAt, recordsIn } from './requests.js'
import { holds, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/*
 * Scenarios count: "offset 3" is the place of a partition's fourth record. Under `index` the place is the offset. Under
 * the other mappings (ID-3) it has an offset that only the log tells, and the place after the last record has any offset
 * beyond the last one's.
 */

const NOTE = 'offsets of partition 0, by place'

export const isConsecutive = (world: ConformanceWorld): boolean => (world.fact('ID-3') ?? 'index') === 'index'

/** What the log has shown so far, records that are gone since included. */
async function offsetsByPlace(world: ConformanceWorld): Promise<readonly string[]> {
  const known = (world.notes.get(NOTE) as string[] | undefined) ?? []
  const records = world.parameters.kafka === undefined ? await recordsIn(world) : await readByKafka(world)
  const last = known.at(-1)
  const newer = records
    .map(({ offset }) => offset)
    .filter((each) => last === undefined || BigInt(each) > BigInt(last))
  const all = [...known, ...newer]
  world.notes.set(NOTE, all)
  return all
}

/** The offset that a client gives to mean a place. */
export async function offsetOf(world: ConformanceWorld, place: number): Promise<string> {
  if (isConsecutive(world)) return String(place)
  const offsets = await offsetsByPlace(world)
  const known = offsets[place]
  if (known !== undefined) return known
  const end = world.parameters.kafka === undefined ? await endByRaw(world) : await endByKafka(world)
  return (BigInt(end) + BigInt(place - offsets.length)).toString()
}

const endByRaw = async (world: ConformanceWorld): Promise<string> => (await offsetAt(world, '-1')).offset

async function endByKafka(world: ConformanceWorld): Promise<string> {
  const args = { topic: world.topic().name, partition: 0, at: 'latest' as const }
  return (await (await world.kafka()).call('listOffsets', args)).offset
}

/** The offset seen is that of the place. */
export async function sameOffset(
  what: string,
  world: ConformanceWorld,
  place: number,
  seen: string | undefined,
): Promise<void> {
  if (isConsecutive(world) || place < 0) return same(what, String(place), seen)
  const offsets = await offsetsByPlace(world)
  const known = offsets[place]
  if (known !== undefined) return same(what, known, seen)
  const last = offsets.at(-1)
  const isBeyond = seen !== undefined && (last === undefined || BigInt(seen) > BigInt(last))
  holds(what, isBeyond, `beyond ${last ?? 'nothing'}`, seen)
}
