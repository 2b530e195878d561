/** Base64 (RFC 4648, standard alphabet, padded) from bytes to bytes: keys are converted without making strings. */

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1')
const padding = 0x3d
const notInAlphabet = 255
const digitValue = new Uint8Array(256).fill(notInAlphabet)
for (let value = 0; value < alphabet.length; value++) digitValue[alphabet[value] ?? 0] = value

export const base64Bytes = (bytes: number): number => Math.ceil(bytes / 3) * 4

/** Writes the bytes `start` … `end` as base64. @returns the position after it. */
export function encodeBase64(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  position: number,
): number {
  let at = position
  for (let from = start; from < end; from += 3) {
    const left = end - from
    const first = source[from] ?? 0
    const second = left > 1 ? (source[from + 1] ?? 0) : 0
    const third = left > 2 ? (source[from + 2] ?? 0) : 0
    target[at++] = alphabet[first >> 2] ?? 0
    target[at++] = alphabet[((first & 3) << 4) | (second >> 4)] ?? 0
    target[at++] = left > 1 ? (alphabet[((second & 15) << 2) | (third >> 6)] ?? 0) : padding
    target[at++] = left > 2 ? (alphabet[third & 63] ?? 0) : padding
  }
  return at
}

/** @returns how many bytes the base64 text stands for, −1 when it is not base64. */
export function decodedBase64Bytes(source: Buffer, start: number, end: number): number {
  let last = end
  while (last > start && end - last < 2 && source[last - 1] === padding) last--
  const digits = last - start
  if (digits % 4 === 1 || (last < end && (end - start) % 4 !== 0)) return -1
  for (let at = start; at < last; at++) if (digitValue[source[at] ?? 0] === notInAlphabet) return -1
  return Math.floor((digits * 3) / 4)
}

/** Writes `bytes` decoded bytes, a number that `decodedBase64Bytes` gave. @returns the position after them. */
export function decodeBase64(
  source: Buffer,
  start: number,
  bytes: number,
  target: Buffer,
  position: number,
): number {
  const stop = position + bytes
  let at = position
  let from = start
  while (at < stop) {
    const group =
      (digit(source, from) << 18) |
      (digit(source, from + 1) << 12) |
      (digit(source, from + 2) << 6) |
      digit(source, from + 3)
    from += 4
    target[at++] = group >> 16
    if (at < stop) target[at++] = (group >> 8) & 255
    if (at < stop) target[at++] = group & 255
  }
  return at
}

/** Padding, and what lies beyond the text, counts as zero bits. */
function digit(source: Buffer, at: number): number {
  const value = digitValue[source[at] ?? 0] ?? 0
  return value === notInAlphabet ? 0 : value
}
