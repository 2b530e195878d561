import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { asEntryId, asLedgerId, asMessageIndex, type Position } from '../../base/brand.js'
import { ManualClock } from '../../base/clock.js'
import type { ManagedLedger, StoredEntry } from '../types.js'
import { StorageError } from '../types.js'
import { entry, largeEntry, type ScratchStore, scratchStore } from './testing.js'

const everything = { maxEntries: 1_000_000, maxBytes: 1 << 30 }
const origin: Position = { ledgerId: asLedgerId(0), entryId: asEntryId(0) }
const textOf = ({ data }: StoredEntry): string =>
  data.length > 100 ? `${data.length}${data.toString()[0]}` : data.toString()
const textsOf = async (log: ManagedLedger, from = origin, limits = everything): Promise<string[]> =>
  (await log.read(from, limits)).map(textOf)

let scratch: ScratchStore
beforeEach(() => {
  scratch = scratchStore()
})
afterEach(() => scratch.remove())

describe('a managed ledger', () => {
  for (const durability of ['sync', 'os'] as const) {
    test(`gives back what was appended, small and large, also after it was opened again (${durability})`, async () => {
      const storage = await scratch.open({ durability })
      const log = await storage.open('a')
      const appended = await Promise.all([
        log.append([entry('small-1', 3, 10)]),
        log.append([largeEntry('x', 70_000, 5, 20), entry('small-2', 1, 5), largeEntry('y', 3000, 2, 30)]),
        log.append([largeEntry('z', 2001)]),
      ])
      assert.deepEqual(
        appended.flat().map(({ firstIndex, position }) => [firstIndex, position.entryId]),
        [
          [0, 0],
          [3, 1],
          [8, 2],
          [9, 3],
          [11, 4],
        ],
      )
      const texts = ['small-1', '70000x', 'small-2', '3000y', '2001z']
      assert.deepEqual(await textsOf(log), texts)
      assert.equal(log.end.index, 12)
      await storage.close()

      const again = await scratch.open({ durability })
      const same = await again.open('a')
      assert.deepEqual(await textsOf(same), texts)
      assert.equal(same.end.index, 12)
      const [next] = await same.append([entry('after')])
      assert.equal(next?.firstIndex, 12)
      assert.deepEqual(await textsOf(same), [...texts, 'after'])
      await again.close()
    })
  }

  test('reads within its limits, but always one entry', async () => {
    const storage = await scratch.open()
    const log = await storage.open('a')
    await log.append(Array.from({ length: 10 }, (_, i) => largeEntry(String(i), 10_000)))
    assert.equal((await log.read(origin, { maxEntries: 3, maxBytes: 1 << 20 })).length, 3)
    assert.equal((await log.read(origin, { maxEntries: 30, maxBytes: 35_000 })).length, 3)
    assert.equal((await log.read(origin, { maxEntries: 30, maxBytes: 1 })).length, 1)
    assert.deepEqual(await textsOf(log, log.end.position), [])
    await storage.close()
  })

  test('rolls over by entries, bytes, age and on demand, and reads across ledgers', async () => {
    const clock = new ManualClock(1000)
    const storage = await scratch.open({
      entriesPerLedgerMax: 4,
      bytesPerLedgerMax: 10_000,
      ledgerRolloverMs: 60_000,
      clock,
    })
    const log = await storage.open('a')
    await Promise.all(Array.from({ length: 10 }, (_, i) => log.append([entry(`e${i}xx`)])))
    assert.deepEqual(
      log.ledgers().map(({ entries }) => entries),
      [4, 4, 2],
    )
    await log.append([largeEntry('a', 6000)])
    await log.append([largeEntry('b', 6000)])
    assert.equal(log.ledgers().length, 4)
    clock.advance(60_000)
    await log.append([entry('old')])
    assert.equal(log.ledgers().length, 5)
    await log.rollOver()
    await log.rollOver()
    assert.deepEqual(
      log.ledgers().map(({ open }) => open),
      [false, false, false, false, false, true],
    )
    await log.append([entry('new')])
    assert.equal((await textsOf(log)).length, 14)
    for (let index = 0; index < 14; index++) {
      assert.equal((await log.entryOfIndex(asMessageIndex(index)))?.firstIndex, index)
    }
    assert.equal(await log.entryOfIndex(asMessageIndex(14)), undefined)
    const ids = log.ledgers().map(({ ledgerId }) => ledgerId)
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    )
    await storage.close()
  })

  test('finds the entry of an index inside batches, in any order', async () => {
    const storage = await scratch.open({ entriesPerLedgerMax: 7 })
    const log = await storage.open('a')
    const starts: number[] = []
    let next = 0
    for (let i = 0; i < 40; i++) {
      const count = 1 + ((i * 7) % 5)
      for (let k = 0; k < count; k++) starts.push(next)
      next += count
      await log.append([entry(`entry-${i}`, count)])
    }
    for (let i = 0; i < starts.length; i++) {
      const index = (i * 37) % starts.length
      assert.equal((await log.entryOfIndex(asMessageIndex(index)))?.firstIndex, starts[index])
    }
    await storage.close()
  })

  test('finds the first entry at or after a timestamp, when timestamps go back and forth', async () => {
    const storage = await scratch.open({ entriesPerLedgerMax: 5 })
    const log = await storage.open('a')
    const stamps = [5, 3, -1, 9, 2, 9, 7, 12, 1, 20, 4, 4]
    for (const stamp of stamps) await log.append([entry('entry', 1, stamp)])
    const expect = (target: number, from: number): number =>
      stamps.findIndex((stamp, at) => at >= from && stamp >= target)
    for (let target = 0; target <= 21; target++) {
      const found = await log.entryOfTimestamp(target)
      assert.equal(found?.firstIndex ?? -1, expect(target, 0), `timestamp ${target}`)
    }
    await log.trim(asMessageIndex(4))
    for (let target = 0; target <= 21; target++) {
      const found = await log.entryOfTimestamp(target)
      assert.equal(found?.firstIndex ?? -1, expect(target, 4), `timestamp ${target} after trimming`)
    }
    await storage.close()
  })

  test('trims inside a batch, drops whole ledgers with their files, and keeps its place when all is gone', async () => {
    const storage = await scratch.open({ entriesPerLedgerMax: 2 })
    const log = await storage.open('a')
    for (let i = 0; i < 6; i++) await log.append([largeEntry(String(i), 5000, 3)])
    await log.trim(asMessageIndex(10))
    assert.deepEqual([log.start.index, log.start.batchIndex], [10, 1])
    assert.deepEqual(await textsOf(log), ['50003', '50004', '50005'])
    assert.equal((await log.entryOfIndex(asMessageIndex(10)))?.firstIndex, 9)
    assert.equal(await log.entryOfIndex(asMessageIndex(9)), undefined)
    await log.trim(asMessageIndex(4))
    assert.equal(log.start.index, 10)
    await log.trim(asMessageIndex(999))
    assert.deepEqual(log.start, log.end)
    assert.equal(log.end.index, 18)
    assert.equal(await log.lastEntry(), undefined)
    await storage.close()
    const again = await scratch.open()
    const same = await again.open('a')
    assert.deepEqual(same.start, same.end)
    const [next] = await same.append([entry('next')])
    assert.equal(next?.firstIndex, 18)
    assert.deepEqual(await textsOf(same), ['next'])
    await again.close()
    assert.deepEqual(readdirSync(join(scratch.directory, 'data', 'ledgers')), [])
  })

  test('deleted and made again under its name it is empty, with ledger ids never used before', async () => {
    const storage = await scratch.open()
    const log = await storage.open('a')
    await log.append([largeEntry('x', 5000)])
    await log.openCursor('c', log.start.position)
    const used = log.ledgers().map(({ ledgerId }) => ledgerId)
    await storage.delete('a')
    await storage.delete('a')
    await assert.rejects(log.append([entry('late')]), StorageError)
    await storage.close()
    const again = await scratch.open()
    const fresh = await again.open('a')
    assert.deepEqual([fresh.end.index, fresh.cursorNames()], [0, []])
    assert.ok(fresh.ledgers().every(({ ledgerId }) => ledgerId > Math.max(...used)))
    await again.close()
  })

  test('a failing store refuses, shows nothing of it, and goes on where it was', async () => {
    let failing = false
    const storage = await scratch.open({
      failWrites: () => (failing ? new Error('no space left on device') : undefined),
    })
    const log = await storage.open('a')
    let woken = 0
    log.onAppend(() => woken++)
    await log.append([entry('first', 2)])
    failing = true
    const attempts = [
      log.append([entry('lost')]),
      log.append([largeEntry('l', 9000)]),
      storage.metadata.put('k', Buffer.from('v')),
      log.rollOver(),
    ]
    for (const attempt of attempts) await assert.rejects(attempt, /no space left/)
    assert.deepEqual([await textsOf(log), log.end.index, woken], [['first'], 2, 1])
    failing = false
    const appended = await log.append([largeEntry('n', 9000), entry('next')])
    assert.deepEqual(
      appended.map(({ firstIndex, position }) => [firstIndex, position.entryId]),
      [
        [2, 1],
        [3, 2],
      ],
    )
    assert.deepEqual(await textsOf(log), ['first', '9000n', 'next'])
    assert.equal(await storage.metadata.get('k'), undefined)
    await storage.close()
  })

  test('a failing ledger file harms its own log only, and nothing overtakes what failed', async () => {
    const storage = await scratch.open()
    const log = await storage.open('a')
    const other = await storage.open('b')
    // A directory in the place of the file makes every write to it fail.
    const file = `${String(log.end.position.ledgerId).padStart(12, '0')}.ledger`
    const { mkdirSync, rmdirSync } = await import('node:fs')
    mkdirSync(join(scratch.directory, 'data', 'ledgers', file))
    const results = await Promise.allSettled([
      log.append([largeEntry('l', 9000)]),
      log.append([entry('small')]),
      other.append([largeEntry('o', 9000)]),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'fulfilled'],
    )
    assert.deepEqual([await textsOf(log), await textsOf(other)], [[], ['9000o']])
    rmdirSync(join(scratch.directory, 'data', 'ledgers', file))
    await log.append([largeEntry('m', 9000)])
    assert.deepEqual(await textsOf(log), ['9000m'])
    await storage.close()
  })

  test('where rounds are flushed, one of little data needs no file, and what lies where makes no difference', async () => {
    for (const [durability, filesAfterSmall] of [
      ['sync', 0],
      ['os', 1],
    ] as const) {
      const storage = await scratch.open({ durability })
      const log = await storage.open(durability)
      const files = () => readdirSync(join(scratch.directory, 'data', 'ledgers')).length
      const before = files()
      await log.append([largeEntry('a', 30_000)])
      assert.equal(files() - before, filesAfterSmall)
      await log.append([largeEntry('b', 30_000), largeEntry('c', 3_000)])
      assert.equal(files() - before, 1)
      await log.append([largeEntry('d', 3_000)])
      const texts = ['30000a', '30000b', '3000c', '3000d']
      assert.deepEqual(await textsOf(log), texts)
      await storage.close()
      const again = await scratch.open({ durability })
      assert.deepEqual(await textsOf(await again.open(durability)), texts)
      await again.close()
    }
  })

  test('entries cut off by a power failure are cut at the first damaged one', async () => {
    const storage = await scratch.open()
    const log = await storage.open('a')
    for (let i = 0; i < 4; i++) await log.append([largeEntry(String(i), 5000, 2)])
    const ledgerId = log.end.position.ledgerId
    await storage.close()
    const { IndexDatabase } = await import('./database.js')
    const database = await IndexDatabase.open(join(scratch.directory, 'data', 'index'), {
      sync: true,
      onCheckpointFailed: () => {},
    })
    await database.commit([
      { table: database.engine, key: Buffer.from('boot-id'), value: Buffer.from('another boot') },
    ])
    await database.close()
    const { openSync, writeSync, closeSync } = await import('node:fs')
    const path = join(scratch.directory, 'data', 'ledgers', `${String(ledgerId).padStart(12, '0')}.ledger`)
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(10), 0, 10, 12_000)
    closeSync(file)
    const again = await scratch.open()
    const cut = await again.open('a')
    assert.deepEqual([await textsOf(cut), cut.end.index], [['50000', '50001'], 4])
    await cut.append([largeEntry('n', 5000)])
    assert.deepEqual(await textsOf(cut), ['50000', '50001', '5000n'])
    await again.close()
  })
})

describe('a data directory', () => {
  test('is held by one broker at a time, and a stale lock holds nobody off', async () => {
    const storage = await scratch.open()
    await assert.rejects(
      scratch.open(),
      new RegExp(`${scratch.directory}.* in use by process ${process.pid}; stop`),
    )
    await storage.close()
    const lock = join(scratch.directory, 'data', 'broker.lock')
    assert.equal(existsSync(lock), false)
    for (const stale of [
      '{"pid":4194999,"started":"x"}',
      `{"pid":${process.pid},"started":"earlier"}`,
      'garbage',
    ]) {
      writeFileSync(lock, stale)
      await (await scratch.open()).close()
    }
  })

  test('that is damaged or of another format is refused in one line that names it and a remedy', async () => {
    await (await scratch.open()).close()
    writeFileSync(join(scratch.directory, 'data', 'index', 'data.mdb'), Buffer.alloc(40_000, 'not a store'))
    await assert.rejects(scratch.open(), (error: Error) => {
      assert.ok(error instanceof StorageError)
      assert.match(
        error.message,
        /^[^\n]*data[^\n]*; restore it from a copy, or start on an empty directory$/,
      )
      return true
    })
    assert.equal(existsSync(join(scratch.directory, 'data', 'broker.lock')), false)
  })
})

describe('metadata', () => {
  test('is listed by prefix in key order, changes all or nothing, and lasts', async () => {
    const storage = await scratch.open()
    await storage.metadata.putAll([
      ['t/b', Buffer.from('2')],
      ['t/a', Buffer.from('1')],
      ['u', Buffer.from('3')],
      ['t', Buffer.from('0')],
    ])
    await storage.metadata.putAll([
      ['t/b', undefined],
      ['t/c', Buffer.alloc(0)],
    ])
    await storage.close()
    const again = await scratch.open()
    const listed = await again.metadata.list('t/')
    assert.deepEqual(
      listed.map(([key, value]) => [key, value.toString()]),
      [
        ['t/a', '1'],
        ['t/c', ''],
      ],
    )
    assert.equal(await again.metadata.get('t/b'), undefined)
    assert.equal((await again.metadata.list('')).length, 4)
    await assert.rejects(again.metadata.put('', Buffer.alloc(1)), StorageError)
    await again.close()
  })
})
