import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoredEntry } from '../storage/types.js'

/** After so long, others have their turn before the work goes on. */
const turnMs = 4
/** What is converted at once: much less than a turn's work, and enough to keep the threads of compressed entries busy. */
const entriesAtOnce = 8
const bytesAtOnce = 256 * 1024

/**
 * Converts entries, in their order, so that the event loop is never held up for long: a fetch of 50 MB takes a quarter of a
 * second. Whoever stops reading stops the conversion.
 */
export async function* convertedInTurns<T>(
  entries: readonly StoredEntry[],
  convert: (entry: StoredEntry) => Promise<T>,
): AsyncGenerator<T, void, void> {
  let turnStartMs = performance.now()
  for (let at = 0; at < entries.length; ) {
    const end = endOfSlice(entries, at)
    const converted = await Promise.all(entries.slice(at, end).map(convert))
    yield* converted
    at = end
    if (at < entries.length && performance.now() - turnStartMs > turnMs) {
      await nextTurn()
      turnStartMs = performance.now()
    }
  }
}

/** At least one entry. */
function endOfSlice(entries: readonly StoredEntry[], start: number): number {
  let bytes = 0
  let end = start
  while (end < entries.length && end - start < entriesAtOnce && bytes < bytesAtOnce)
    bytes += entries[end++]?.data.length ?? 0
  return end
}
