import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { asEntryId, asLedgerId, asMessageIndex, type Position } from '../../base/brand.js'
import type { Cursor, ManagedLedger } from '../types.js'
import { Ranges } from './ranges.js'
import { entry, type ScratchStore, scratchStore } from './testing.js'

let scratch: ScratchStore
beforeEach(() => {
  scratch = scratchStore()
})
afterEach(() => scratch.remove())

/** Ten entries of three messages, in ledgers of four entries. @returns their positions. */
async function filled(log: ManagedLedger): Promise<Position[]> {
  const appended: Position[] = []
  for (let i = 0; i < 10; i++) {
    const [one] = await log.append([entry(`entry-${i}`, 3)])
    if (one !== undefined) appended.push(one.position)
  }
  return appended
}

const place = (cursor: Cursor, positions: readonly Position[]): string => {
  const at = positions.findIndex(
    ({ ledgerId, entryId }) => ledgerId === cursor.position.ledgerId && entryId === cursor.position.entryId,
  )
  return `${at < 0 ? 'end' : at}+${cursor.batchIndex}, ${cursor.backlogEntries()} left`
}
const pick = (positions: readonly Position[], ...at: number[]) =>
  positions.flatMap((position, index) => (at.includes(index) ? [{ position }] : []))
const one = (positions: readonly Position[], at: number): Position => {
  const position = positions[at]
  if (position === undefined) throw new Error(`no entry ${at}`)
  return position
}

for (const durable of [true, false]) {
  describe(`a ${durable ? 'durable' : 'non-durable'} cursor`, () => {
    const openCursor = async (log: ManagedLedger, initial: Position): Promise<Cursor> =>
      durable ? log.openCursor('c', initial) : log.newNonDurableCursor('c', initial)

    test('moves on when what is first is acknowledged, over single acknowledgements and ledgers', async () => {
      const storage = await scratch.open({ entriesPerLedgerMax: 4 })
      const log = await storage.open('a')
      const at = await filled(log)
      const cursor = await openCursor(log, log.start.position)
      assert.equal(place(cursor, at), '0+0, 10 left')
      await cursor.acknowledge(pick(at, 1, 2, 3, 4, 6))
      assert.equal(place(cursor, at), '0+0, 5 left')
      assert.deepEqual(
        at.map((position) => cursor.isAcknowledged(position)),
        [false, true, true, true, true, false, true, false, false, false],
      )
      await cursor.acknowledge(pick(at, 0))
      assert.equal(place(cursor, at), '5+0, 4 left')
      await cursor.acknowledge(pick(at, 5, 7, 8, 9))
      assert.equal(place(cursor, at), 'end+0, 0 left')
      await log.append([entry('more')])
      assert.equal(cursor.backlogEntries(), 1)
      await log.rollOver()
      await cursor.acknowledge([{ position: cursor.position }])
      assert.deepEqual(cursor.position, log.end.position)
      await storage.close()
    })

    test('acknowledges inside batches, in any order, and the last index completes the entry', async () => {
      const storage = await scratch.open({ entriesPerLedgerMax: 4 })
      const log = await storage.open('a')
      const at = await filled(log)
      const cursor = await openCursor(log, log.start.position)
      await cursor.acknowledge([{ position: one(at, 0), batchIndexes: [2] }])
      assert.equal(place(cursor, at), '0+0, 10 left')
      assert.deepEqual(cursor.acknowledgedBatchIndexes(one(at, 0)), new Set([2]))
      await cursor.acknowledge([{ position: one(at, 0), batchIndexes: [0, 0, 77] }])
      assert.equal(place(cursor, at), '0+1, 10 left')
      await cursor.acknowledge([{ position: one(at, 0), batchIndexes: [1] }])
      assert.equal(place(cursor, at), '1+0, 9 left')
      await cursor.acknowledgeUpTo(one(at, 5), 1)
      assert.equal(place(cursor, at), '5+2, 5 left')
      await cursor.acknowledgeUpTo(one(at, 5), 2)
      assert.equal(place(cursor, at), '6+0, 4 left')
      await cursor.acknowledgeUpTo(one(at, 3))
      assert.equal(place(cursor, at), '6+0, 4 left')
      await storage.close()
    })

    test('is reset forwards and back, and follows the log’s start', async () => {
      const storage = await scratch.open({ entriesPerLedgerMax: 4 })
      const log = await storage.open('a')
      const at = await filled(log)
      const cursor = await openCursor(log, log.start.position)
      await cursor.acknowledge(pick(at, 0, 1, 5))
      await cursor.reset(one(at, 0), 2)
      assert.equal(place(cursor, at), '0+2, 10 left')
      await cursor.reset({ ledgerId: asLedgerId(1e9), entryId: asEntryId(0) })
      assert.equal(place(cursor, at), 'end+0, 0 left')
      await cursor.reset({ ledgerId: asLedgerId(0), entryId: asEntryId(0) })
      assert.equal(place(cursor, at), '0+0, 10 left')
      await log.trim(asMessageIndex(13))
      assert.equal(place(cursor, at), '4+1, 6 left')
      await log.trim(asMessageIndex(30))
      assert.deepEqual(cursor.position, log.end.position)
      await storage.close()
    })
  })
}

test('a durable cursor keeps its place and its single acknowledgements, a non-durable one nothing', async () => {
  const before = await scratch.open({ entriesPerLedgerMax: 4 })
  const log = await before.open('a')
  const at = await filled(log)
  const cursor = await log.openCursor('durable', log.start.position)
  const passing = log.newNonDurableCursor('passing', log.start.position)
  await passing.acknowledgeUpTo(one(at, 8))
  await cursor.acknowledge([...pick(at, 0, 1, 4, 6), { position: one(at, 2), batchIndexes: [0, 2] }])
  const again = await log.openCursor('durable', one(at, 9))
  assert.equal(again, cursor)
  await before.close()
  const after = await scratch.open()
  const same = await after.open('a')
  assert.deepEqual(same.cursorNames(), ['durable'])
  const restored = await same.openCursor('durable', one(at, 9))
  assert.equal(place(restored, at), '2+1, 6 left')
  assert.deepEqual(restored.acknowledgedBatchIndexes(one(at, 2)), new Set([0, 2]))
  assert.ok(restored.isAcknowledged(one(at, 6)))
  await same.deleteCursor('durable')
  await restored.acknowledge(pick(at, 2))
  await after.close()
  const last = await scratch.open()
  assert.deepEqual((await last.open('a')).cursorNames(), [])
  await last.close()
})

test('ranges hold what a plain set would, for seeded additions and removals', () => {
  let seed = 17
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  for (let round = 0; round < 50; round++) {
    const ranges = new Ranges()
    const plain = new Set<number>()
    for (let step = 0; step < 60; step++) {
      const from = random(60)
      if (random(10) === 0) {
        ranges.removeBelow(from)
        for (const value of plain) if (value < from) plain.delete(value)
      } else {
        const to = from + random(5)
        ranges.add(from, to)
        for (let value = from; value <= to; value++) plain.add(value)
      }
      assert.deepEqual(
        [...ranges.toSet()],
        [...plain].sort((a, b) => a - b),
      )
      assert.equal(ranges.size, plain.size)
      let gap = from
      while (plain.has(gap)) gap++
      assert.equal(ranges.firstGapFrom(from), gap)
      assert.equal(ranges.has(from), plain.has(from))
      for (let at = 2; at < ranges.bounds.length; at += 2) {
        assert.ok((ranges.bounds[at] ?? 0) > (ranges.bounds[at - 1] ?? 0) + 1, 'ranges with a gap between')
      }
    }
  }
})
