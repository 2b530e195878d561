import { writeSync } from 'node:fs'
import { systemClock } from '../../base/clock.js'
import type { ManagedLedger } from '../types.js'
import { openEmbeddedStorage } from './index.js'
import { rememberingLog } from './testing.js'

/**
 * For the crash test: appends to several logs at once until it is killed, and acknowledges on a cursor. Each line of its
 * output is a fact that must hold after the kill: `E log index text bytes` an acknowledged entry, `C index` an
 * acknowledged cursor place.
 */
const [directory = '', durability = 'os', seedText = '1'] = process.argv.slice(2)
let seed = Number(seedText)
const random = (below: number): number => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed % below
}
const tell = (line: string): void => {
  // Written at once: what an asynchronous stream holds back would die with the process.
  writeSync(1, `${line}\n`)
}

const storage = await openEmbeddedStorage({
  directory,
  durability: durability === 'sync' ? 'sync' : 'os',
  entriesPerLedgerMax: 200,
  bytesPerLedgerMax: 1 << 20,
  clock: systemClock,
  log: rememberingLog(),
})

async function appendForEver(name: string): Promise<never> {
  const log = await storage.open(name)
  for (let number = 0; ; number++) {
    const text = `${seedText}.${number}`
    const bytes = random(3) === 0 ? 2000 + random(20_000) : 20 + random(500)
    const data = Buffer.alloc(bytes, `${text};`)
    const [appended] = await log.append([
      { data: [data], messageCount: 1 + random(5), maxTimestampMs: number },
    ])
    tell(`E ${name} ${appended?.firstIndex} ${text} ${bytes}`)
    if (random(300) === 0) await log.rollOver()
  }
}

async function acknowledgeForEver(log: ManagedLedger): Promise<never> {
  const cursor = await log.openCursor('c', log.start.position)
  for (;;) {
    const [entry] = await log.read(cursor.position, { maxEntries: 1, maxBytes: 1 })
    if (entry === undefined) await new Promise((resolve) => setImmediate(resolve))
    else {
      await cursor.acknowledge([{ position: entry.position }])
      tell(`C ${entry.firstIndex + entry.messageCount}`)
    }
  }
}

const names = ['a', 'b', 'c', 'd']
void Promise.all([...names, ...names].map(appendForEver))
void acknowledgeForEver(await storage.open('a'))
