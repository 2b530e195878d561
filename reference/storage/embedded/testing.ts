import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import type { NewEntry, Storage } from '../types.js'
import { type EmbeddedStorageOptions, openEmbeddedStorage } from './index.js'

/** A log for tests: keeps the messages of warnings and errors. */
export function rememberingLog(): Log & { readonly messages: string[] } {
  const messages: string[] = []
  const keep = (_fields: object, message: string): void => {
    messages.push(message)
  }
  return { messages, debug: () => {}, info: () => {}, warn: keep, error: keep }
}

export interface ScratchStore {
  readonly directory: string
  open(options?: Partial<EmbeddedStorageOptions>): Promise<Storage>
  remove(): void
}

/** A directory of its own for a test's store. */
export function scratchStore(): ScratchStore {
  const directory = mkdtempSync(join(tmpdir(), 'kop-store-'))
  const clock: Clock = systemClock
  return {
    directory,
    open: (options = {}) =>
      openEmbeddedStorage({
        directory: join(directory, 'data'),
        durability: 'os',
        entriesPerLedgerMax: 50_000,
        bytesPerLedgerMax: 1 << 30,
        clock,
        log: rememberingLog(),
        ...options,
      }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export const entry = (text: string, messageCount = 1, maxTimestampMs = -1): NewEntry => ({
  data: [Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))],
  messageCount,
  maxTimestampMs,
})

/** An entry too large to lie in the index. */
export const largeEntry = (fill: string, bytes: number, messageCount = 1, maxTimestampMs = -1): NewEntry => ({
  data: [Buffer.alloc(bytes >> 1, fill), Buffer.alloc(bytes - (bytes >> 1), fill)],
  messageCount,
  maxTimestampMs,
})
