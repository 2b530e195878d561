import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { asMessageIndex } from '../../base/brand.js'
import { openEmbeddedStorage } from './index.js'
import { entry, largeEntry, scratchStore } from './testing.js'

test('after a power cut the state of the last checkpoint is there, whole, though its file was written on', async () => {
  const scratch = scratchStore()
  const rolling = { entriesPerLedgerMax: 30 }
  const first = await scratch.open(rolling)
  const log = await first.open('a')
  for (let i = 0; i < 100; i++)
    await log.append([i % 10 === 0 ? largeEntry(String(i / 10), 5000) : entry(`entry-${i}`)])
  await first.close()

  // Opening takes a checkpoint. What follows frees and fills pages that it needs, if nothing held on to them.
  const second = await scratch.open(rolling)
  const same = await second.open('a')
  const other = await second.open('b')
  for (let i = 0; i < 20; i++) {
    for (let k = 0; k < 20; k++) await other.append([entry('x'.repeat(1000))])
    await other.trim(other.end.index)
  }
  await same.append([entry('late')])
  const data = join(scratch.directory, 'data')
  const cut = join(scratch.directory, 'cut')
  cpSync(data, cut, { recursive: true })
  await second.close()

  const checkpoint = readFileSync(join(cut, 'index', 'checkpoint'))
  checkpoint.fill('another boot'.padEnd(64), 0, 64)
  writeFileSync(join(cut, 'index', 'checkpoint'), checkpoint)
  // The headers that did reach the disk name pages that did not.
  const database = readFileSync(join(cut, 'index', 'data.mdb'))
  for (const at of [0, 4096]) database.fill(0xff, at + 24, at + 160)
  writeFileSync(join(cut, 'index', 'data.mdb'), database)
  writeFileSync(join(cut, 'broker.lock'), '{"pid":4194999,"started":"x"}')

  const third = await openEmbeddedStorage({
    directory: cut,
    durability: 'os',
    entriesPerLedgerMax: 30,
    bytesPerLedgerMax: 1 << 30,
    clock: { nowMs: () => 0, after: () => () => {} },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  })
  const restored = await third.open('a')
  assert.ok(restored.end.index >= 100)
  for (let i = 0; i < 100; i++) {
    const expected = i % 10 === 0 ? Buffer.alloc(5000, String(i / 10)) : Buffer.from(`entry-${i}`)
    assert.ok((await restored.entryOfIndex(asMessageIndex(i)))?.data.equals(expected), `entry ${i}`)
  }
  const [next] = await restored.append([entry('after')])
  assert.ok((next?.firstIndex ?? 0) >= 100)
  await third.close()
  scratch.remove()
})
