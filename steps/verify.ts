import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'

/** What was seen is not what the requirement demands. Both sides go into the report. */
export class Mismatch extends Error {
  readonly expected: string
  readonly seen: string

  constructor(what: string, expected: unknown, seen: unknown) {
    const shown = { expected: show(expected), seen: show(seen) }
    super(`${what}\n  expected ${shown.expected}\n  seen     ${shown.seen}`)
    this.name = 'Mismatch'
    this.expected = shown.expected
    this.seen = shown.seen
  }
}

export function same(what: string, expected: unknown, seen: unknown): void {
  if (!isDeepStrictEqual(expected, seen)) throw new Mismatch(what, expected, seen)
}

export function holds(what: string, condition: boolean, expected: unknown, seen: unknown): void {
  if (!condition) throw new Mismatch(what, expected, seen)
}

const ASK_EVERY_MS = 20

/** Asks until it is right; at the end of the time, what was wrong last. */
export async function eventually<Seen>(withinMs: number, look: () => Promise<Seen>): Promise<Seen> {
  const deadline = Date.now() + withinMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (!(error instanceof Mismatch) || Date.now() > deadline) throw error
    }
    await pause(ASK_EVERY_MS)
  }
}

/** Of two objects only the fields that differ, and their names; anything else as it is. */
function difference(expected: unknown, seen: unknown): { in: string; expected: unknown; seen: unknown } {
  if (!isFields(expected) || !isFields(seen)) return { in: '', expected, seen }
  const names = [...new Set([...Object.keys(expected), ...Object.keys(seen)])]
  const differing = names.filter((name) => !isDeepStrictEqual(expected[name], seen[name]))
  const only = (of: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(differing.filter((name) => name in of).map((name) => [name, of[name]]))
  return { in: `, ${differing.join(', ')}`, expected: only(expected), seen: only(seen) }
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Exactly these, in this order, no more and no less; the first difference is what the failure shows. */
export function sameList<Item>(what: string, expected: readonly Item[], seen: readonly Item[]): void {
  const at = expected.findIndex((item, index) => !isDeepStrictEqual(item, seen[index]))
  if (at >= 0) {
    const found = difference(expected[at], seen[at])
    const place = `${what}: number ${at + 1} of ${expected.length}${found.in} (${seen.length} came)`
    throw new Mismatch(place, found.expected, at < seen.length ? found.seen : 'nothing')
  }
  if (seen.length > expected.length) {
    const place = `${what}: more than the ${expected.length} expected (${seen.length} came)`
    throw new Mismatch(place, 'nothing more', seen[expected.length])
  }
}

/** Compact, and readable: bytes as text where they are text, long ones cut. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, readable)
  return text === undefined
    ? 'nothing'
    : text.length > 1500
      ? `${text.slice(0, 1500)}… (${text.length} characters)`
      : text
}

function readable(name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (name === 'headers' && Array.isArray(value)) return value.map(readableHeader)
  if (typeof value !== 'string') return value
  return ['key', 'value', 'keyBytes', 'orderingKey'].includes(name) ? showBytes(value) : value
}

const readableHeader = (header: unknown): unknown =>
  Array.isArray(header) && typeof header[1] === 'string' ? [header[0], showBytes(header[1])] : header

/** From base64. */
export function showBytes(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64) return base64
  const text = bytes.toString('utf8')
  const printable = /^[\x20-\x7e]*$/.test(text)
  const shown = printable ? text : `hex:${bytes.toString('hex')}`
  return shown.length > 80 ? `${shown.slice(0, 80)}… (${bytes.length} bytes)` : shown
}
