import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { asMessageIndex } from '../../base/brand.js'
import type { Storage } from '../types.js'
import { scratchStore } from './testing.js'

const kills = 12
const child = fileURLToPath(new URL('crash-child.js', import.meta.url))

interface Acknowledged {
  readonly log: string
  readonly index: number
  readonly text: string
  readonly bytes: number
}

/** What one life of the child was told is stored. */
interface Life {
  readonly entries: readonly Acknowledged[]
  /** The furthest acknowledged place of the cursor; −1 for none. */
  readonly cursorIndex: number
}

/** Runs the child, kills it some time after its first acknowledgement, and returns all that it was told. */
async function liveAndDie(directory: string, durability: string, seed: number): Promise<Life> {
  const running = spawn(process.execPath, [child, directory, durability, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(running.stdout, 'data')
  // The moment of the kill is what the test varies: it cannot be waited for by an event.
  await after(20 + ((seed * 7919) % 300))
  running.kill('SIGKILL')
  const [, signal] = await once(running, 'close')
  assert.equal(signal, 'SIGKILL', 'the child ended by itself')
  return parse(output)
}

function parse(output: string): Life {
  const entries: Acknowledged[] = []
  let cursorIndex = -1
  // The last line may be cut short.
  for (const line of output.split('\n').slice(0, -1)) {
    const [kind, ...fields] = line.split(' ')
    if (kind === 'C') cursorIndex = Number(fields[0])
    else {
      const [log = '', index, text = '', bytes] = fields
      entries.push({ log, index: Number(index), text, bytes: Number(bytes) })
    }
  }
  return { entries, cursorIndex }
}

async function verify(storage: Storage, known: readonly Acknowledged[]): Promise<void> {
  for (const { log, index, text, bytes } of known) {
    const entry = await (await storage.open(log)).entryOfIndex(asMessageIndex(index))
    assert.equal(entry?.firstIndex, index, `${log}:${index} was acknowledged, and is not there`)
    assert.ok(entry?.data.equals(Buffer.alloc(bytes, `${text};`)), `${log}:${index} is not what was written`)
  }
}

/** Nothing lies between the entries: each begins where the one before ends. */
async function verifyContinuity(storage: Storage, name: string): Promise<number> {
  const log = await storage.open(name)
  let position = log.start.position
  let index: number = log.start.index
  for (;;) {
    const entries = await log.read(position, { maxEntries: 2000, maxBytes: 8 << 20 })
    for (const entry of entries) {
      assert.equal(entry.firstIndex, index)
      index += entry.messageCount
    }
    const last = entries.at(-1)
    if (last === undefined) break
    position = { ...last.position, entryId: (last.position.entryId + 1) as typeof last.position.entryId }
  }
  assert.equal(index, log.end.index)
  return index
}

for (const durability of ['os', 'sync'] as const) {
  test(`what was acknowledged survives ${kills / 2} kills under load (${durability})`, async (context) => {
    const scratch = scratchStore()
    const all: Acknowledged[] = []
    let cursorIndex = -1
    try {
      for (let seed = 1; seed <= kills / 2; seed++) {
        const life = await liveAndDie(join(scratch.directory, 'data'), durability, seed)
        assert.ok(life.entries.length > 0)
        all.push(...life.entries)
        cursorIndex = Math.max(cursorIndex, life.cursorIndex)
        const storage = await scratch.open({ durability })
        await verify(storage, life.entries)
        for (const name of ['a', 'b', 'c', 'd']) await verifyContinuity(storage, name)
        const log = await storage.open('a')
        const cursor = await log.openCursor('c', log.start.position)
        const [next] = await log.read(cursor.position, { maxEntries: 1, maxBytes: 1 })
        assert.ok((next?.firstIndex ?? log.end.index) >= cursorIndex, 'an acknowledgement was lost')
        await storage.close()
      }
      const storage = await scratch.open({ durability })
      await verify(storage, all)
      await storage.close()
      assert.ok(cursorIndex > 0)
      context.diagnostic(`${kills / 2} kills, ${all.length} acknowledged entries, none lost`)
    } finally {
      scratch.remove()
    }
  })
}
