import { isUtf8 } from 'node:buffer'

/** From here on the native check is worth its call. */
const nativeBytesMin = 256

/** Whether the bytes are valid UTF-8, and so may stand in a protobuf string. */
export function isText(buffer: Buffer, start: number, end: number): boolean {
  if (end - start >= nativeBytesMin) return isUtf8(buffer.subarray(start, end))
  let at = start
  while (at < end) {
    const first = buffer[at] ?? 0
    if (first < 0x80) {
      at++
      continue
    }
    const length = sequenceBytes(buffer, at, end)
    if (length === 0) return false
    at += length
  }
  return true
}

/** @returns the bytes of the code point of two to four bytes at `at`, 0 when it is none. */
function sequenceBytes(buffer: Buffer, at: number, end: number): number {
  const first = buffer[at] ?? 0
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length === 0 || at + length > end) return 0
  const second = buffer[at + 1] ?? 0
  // Overlong forms, surrogates, and what lies beyond U+10FFFF show in the second byte.
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  for (let index = 2; index < length; index++) if (((buffer[at + index] ?? 0) & 0xc0) !== 0x80) return 0
  return length
}
