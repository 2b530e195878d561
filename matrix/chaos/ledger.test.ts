import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { Ledger } from './ledger.js'

const LIMIT_MS = 1_000
let ledger = new Ledger(2, LIMIT_MS)
beforeEach(() => {
  ledger = new Ledger(2, LIMIT_MS)
})

const at = (offset: bigint, partition = 0): Map<number, bigint> => new Map([[partition, offset]])
const places = (...partitions: number[]) => partitions.map((partition) => ({ topic: 'any', partition }))
const only = (pattern: RegExp) => {
  assert.equal(ledger.faults.length, 1, JSON.stringify(ledger.faults))
  assert.match(ledger.faults[0]?.what ?? '', pattern)
}

test('what goes on as it must is no fault', () => {
  ledger.acknowledged(0, 0n, 1)
  ledger.processed(1)
  ledger.confirmed(at(1n))
  ledger.committed(at(1n), ledger.floor)
  ledger.owns(1, 'a', places(0))
  ledger.owns(1, 'b', places(1))
  ledger.owns(2, 'b', places(0, 1))
  ledger.described('Stable', [{ memberId: 'b', partitions: places(0, 1) }], 0)
  assert.deepEqual(ledger.faults, [])
  assert.equal(ledger.missing(1), null)
})

test('a committed offset that goes back, or disappears, is a fault', () => {
  ledger.committed(at(5n), new Map())
  ledger.committed(at(4n), new Map())
  only(/partition 0: .*back from 5 to 4/)
  ledger.committed(new Map(), new Map())
  assert.match(ledger.faults[1]?.what ?? '', /back from 4 to -1/)
})

test('a commit that a member was told of, and the group does not have, is a fault', () => {
  ledger.confirmed(at(3n))
  ledger.committed(at(2n), ledger.floor)
  only(/3 was committed, but 2/)
})

test('a commit done after the group was asked is not held against the answer', () => {
  const { floor } = ledger
  ledger.confirmed(at(3n))
  ledger.committed(new Map(), floor)
  assert.deepEqual(ledger.faults, [])
})

test('a record that is committed and was never processed is a fault, one beyond the commit is not', () => {
  ledger.acknowledged(1, 7n, 1)
  ledger.acknowledged(1, 8n, 2)
  ledger.committed(at(8n, 1), new Map())
  only(/partition 1: 8 is committed, but nobody was given 7/)
})

test('two owners in a generation are a fault, whoever tells', () => {
  ledger.owns(3, 'a', places(0))
  ledger.owns(3, 'b', places(0))
  only(/partition 0 is both a's and b's in generation 3/)
})

test('two owners as the coordinator describes a stable group are a fault', () => {
  const twice = [
    { memberId: 'a', partitions: places(0, 1) },
    { memberId: 'b', partitions: places(1) },
  ]
  ledger.described('CompletingRebalance', twice, 0)
  assert.deepEqual(ledger.faults, [])
  ledger.described('Stable', twice, 0)
  only(/partition 1 is described as a's and b's/)
})

test('a rebalance that does not end is a fault, told once; an interrupted one begins anew', () => {
  ledger.described('PreparingRebalance', [], 0)
  ledger.described('CompletingRebalance', [], LIMIT_MS)
  ledger.interrupted(LIMIT_MS)
  ledger.described('PreparingRebalance', [], LIMIT_MS + 1)
  ledger.described('PreparingRebalance', [], 2 * LIMIT_MS)
  assert.deepEqual(ledger.faults, [])
  ledger.described('PreparingRebalance', [], 3 * LIMIT_MS)
  ledger.described('PreparingRebalance', [], 4 * LIMIT_MS)
  only(/not ended after 1999 ms/)
})

test('a coordinator that tells nothing for too long is a fault, told once', () => {
  ledger.interrupted(0)
  ledger.interrupted(LIMIT_MS)
  ledger.described('Stable', [], LIMIT_MS)
  ledger.interrupted(LIMIT_MS + 1)
  assert.deepEqual(ledger.faults, [])
  ledger.interrupted(2 * LIMIT_MS + 2)
  ledger.interrupted(3 * LIMIT_MS)
  only(/told nothing of the group for 1001 ms/)
})

test('what is missing is told until nothing is: records, commits, stability, members, partitions', () => {
  const stable = (...partitions: number[]) =>
    ledger.described('Stable', [{ memberId: 'a', partitions: places(...partitions) }], 0)
  ledger.acknowledged(0, 4n, 1)
  assert.match(ledger.missing(1) ?? '', /1 acknowledged records were never processed/)
  ledger.processed(1)
  assert.match(ledger.missing(1) ?? '', /partitions 0 is not committed/)
  ledger.committed(at(5n), new Map())
  assert.match(ledger.missing(1) ?? '', /not stable/)
  stable(0)
  assert.match(ledger.missing(2) ?? '', /1 members in place of 2/)
  assert.match(ledger.missing(1) ?? '', /1 of 2 partitions/)
  stable(0, 1)
  assert.equal(ledger.missing(1), null)
})

test('a record that comes once more is counted', () => {
  ledger.processed(1)
  ledger.processed(1)
  assert.equal(ledger.figures.again, 1)
  assert.equal(ledger.figures.processed, 1)
})
