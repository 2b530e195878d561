import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../root.js'

interface Place {
  topic: string
  partition: number
}

interface Positioned extends Place {
  offset: string
}

interface MemberState {
  assigned(places: Place[]): void
  revoked(places: Place[]): void
  revokedForNow(places: Place[]): void
  lost(places: Place[]): void
  received(record: Positioned): void
  goesOn(place: Place, start: bigint): void
  poll(count: number, timeoutMs: number): Promise<Positioned[]>
  readonly positions: Positioned[]
  readonly unsettled: Place[]
}

const file = pathToFileURL(join(packageRoot, 'matrix', 'clients', 'lib', 'member-state.mjs')).href
const { MemberState }: { MemberState: new () => MemberState } = await import(file)

const place = { topic: 't', partition: 0 }
const other = { topic: 't', partition: 1 }
const record = (offset: number, of = place) => ({ ...of, offset: String(offset) })

/** A member that was given 4, 5 and 6 of a place, and has handed out 4. */
async function opened(): Promise<MemberState> {
  const state = new MemberState()
  state.assigned([place])
  for (const offset of [4, 5, 6]) state.received(record(offset))
  await state.poll(1, 0)
  return state
}

async function seenOf(state: MemberState): Promise<{ positions: number[]; waiting: number[] }> {
  const positions = state.positions.map(({ offset }) => Number(offset))
  const waiting = (await state.poll(100, 0)).map(({ offset }) => Number(offset))
  return { positions, waiting }
}

const cases: [
  name: string,
  act: (state: MemberState) => void,
  seen: { positions: number[]; waiting: number[] },
][] = [
  [
    'where the library goes on behind what it handed over, what was held comes back',
    (state) => {
      state.assigned([place])
      state.goesOn(place, 7n)
      state.received(record(7))
    },
    { positions: [5], waiting: [5, 6, 7] },
  ],
  [
    'even if nothing comes any more',
    (state) => {
      state.assigned([place])
      state.goesOn(place, 7n)
    },
    { positions: [5], waiting: [5, 6] },
  ],
  [
    'where it goes on at what is committed, it gives the records again',
    (state) => {
      state.assigned([place])
      state.goesOn(place, 4n)
      for (const offset of [4, 5, 6, 7]) state.received(record(offset))
    },
    { positions: [], waiting: [4, 5, 6, 7] },
  ],
  [
    'a fetch that was under way meanwhile carries it on behind all the same',
    (state) => {
      state.assigned([place])
      state.goesOn(place, 4n)
      state.received(record(7))
    },
    { positions: [5], waiting: [5, 6, 7] },
  ],
  [
    'what comes while nobody knows whose the place is, is held behind the rest',
    (state) => {
      state.received(record(7))
      state.assigned([place])
      state.received(record(8))
      state.goesOn(place, 9n)
      state.received(record(9))
    },
    { positions: [5], waiting: [5, 6, 7, 8, 9] },
  ],
  [
    'what the stream has read and not yet given out is no jump',
    (state) => {
      state.assigned([place])
      state.goesOn(place, 9n)
      for (const offset of [7, 8]) state.received(record(offset))
    },
    { positions: [5], waiting: [5, 6, 7, 8] },
  ],
  [
    'where more is committed than it handed over, the rest is done by another',
    (state) => {
      state.assigned([place])
      state.goesOn(place, 9n)
      state.received(record(9))
    },
    { positions: [], waiting: [9] },
  ],
  [
    'what is held survives a second rebalance before the library knows where it goes on',
    (state) => {
      state.assigned([place])
      state.revokedForNow([place])
      state.assigned([place])
      state.goesOn(place, 7n)
    },
    { positions: [5], waiting: [5, 6] },
  ],
  [
    'and one before the next record',
    (state) => {
      state.assigned([place])
      state.goesOn(place, 4n)
      state.revokedForNow([place])
      state.assigned([place])
      state.goesOn(place, 7n)
    },
    { positions: [5], waiting: [5, 6] },
  ],
  ['while it is given up it is neither handed out nor committed', () => {}, { positions: [], waiting: [] }],
  [
    'nor after it was given back, until the library tells',
    (state) => state.assigned([place]),
    { positions: [], waiting: [] },
  ],
  [
    'what went to another is let go',
    (state) => {
      state.assigned([other])
      state.assigned([place])
      state.goesOn(place, 7n)
      state.received(record(7))
    },
    { positions: [], waiting: [7] },
  ],
  [
    'so is what was lost',
    (state) => {
      state.lost([])
      state.assigned([place])
      state.goesOn(place, 7n)
      state.received(record(7))
    },
    { positions: [], waiting: [7] },
  ],
]

for (const [name, act, seen] of cases) {
  test(name, async () => {
    const state = await opened()
    state.revokedForNow([place])
    act(state)
    assert.deepEqual(await seenOf(state), seen)
  })
}

test('each place is asked for once', async () => {
  const state = await opened()
  state.assigned([other])
  state.revokedForNow([place, other])
  assert.deepEqual(state.unsettled, [])
  state.assigned([place, other])
  assert.deepEqual(state.unsettled, [place, other])
  state.goesOn(place, 4n)
  state.goesOn(other, 0n)
  assert.deepEqual(state.unsettled, [])
})

test('a library that begins anew whenever it is given a place has nothing held', async () => {
  const state = await opened()
  state.revoked([place])
  state.received(record(7))
  state.assigned([place])
  state.goesOn(place, 7n)
  state.received(record(4))
  assert.deepEqual(await seenOf(state), { positions: [], waiting: [4] })
})
