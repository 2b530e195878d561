import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asEntryId, asLedgerId, asMessageIndex, asOffset } from '../base/brand.js'
import { offsetMapping } from './index.js'

/** mulberry32: the same numbers for the same seed on every machine. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const limits = {
  packed: { ledger: 2 ** 19, entry: 2 ** 32, batchIndex: 2 ** 12 },
  wrapper: { ledger: 2 ** 35, entry: 2 ** 28, batchIndex: 1 },
} as const

const at = (ledgerId: number, entryId: number, firstIndex = 0) => ({
  position: { ledgerId: asLedgerId(ledgerId), entryId: asEntryId(entryId) },
  firstIndex: asMessageIndex(firstIndex),
})

for (const name of ['packed', 'wrapper'] as const) {
  describe(name, () => {
    const mapping = offsetMapping(name)
    const limit = limits[name]

    test('id → offset → id and offset → id → offset are identities, for 20,000 seeded ids', () => {
      const random = randomOf(7)
      for (let i = 0; i < 20_000; i++) {
        const entry = at(random(limit.ledger), random(limit.entry))
        const batchIndex = random(limit.batchIndex)
        const offset = mapping.offsetOf(entry, batchIndex)
        assert.ok(offset !== undefined && offset >= 0n && offset < 2n ** 63n)
        assert.deepEqual(mapping.targetOf(offset), { by: 'id', position: entry.position, batchIndex })
      }
    })

    test('keeps the order of ids, and messages of an entry are consecutive', () => {
      const random = randomOf(11)
      const ids = Array.from(
        { length: 3000 },
        () => [random(50), random(50), random(limit.batchIndex)] as const,
      )
      ids.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2])
      let previous = -1n
      for (const [ledgerId, entryId, batchIndex] of ids) {
        const offset = mapping.offsetOf(at(ledgerId, entryId), batchIndex) ?? -2n
        assert.ok(offset >= previous)
        previous = offset
        assert.equal(offset, (mapping.offsetOf(at(ledgerId, entryId), 0) ?? -2n) + BigInt(batchIndex))
      }
    })

    test('refuses what does not fit its bits, and takes the largest that does', () => {
      const { ledger, entry, batchIndex } = limit
      assert.equal(mapping.messagesPerEntryMax, batchIndex)
      assert.equal(mapping.offsetOf(at(ledger, 0), 0), undefined)
      assert.equal(mapping.offsetOf(at(0, entry), 0), undefined)
      assert.equal(mapping.offsetOf(at(0, 0), batchIndex), undefined)
      assert.equal(mapping.offsetOf(at(ledger - 1, entry - 1), batchIndex - 1), 2n ** 63n - 1n)
    })
  })
}

test('known values, worked out by hand', () => {
  assert.equal(offsetMapping('packed').offsetOf(at(3, 5), 7), (3n << 44n) + (5n << 12n) + 7n)
  assert.equal(offsetMapping('wrapper').offsetOf(at(3, 5), 0), 3n * 268_435_456n + 5n)
  assert.equal(offsetMapping('index').offsetOf(at(3, 5, 100), 7), 107n)
  assert.deepEqual(offsetMapping('index').targetOf(asOffset(107n)), { by: 'index', index: 107 })
})
