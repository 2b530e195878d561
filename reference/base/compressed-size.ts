import { MalformedError } from './malformed.js'
import { VarintCursor } from './varint.js'

/**
 * How much compressed bytes may grow, found out from their headers alone, for libraries that would otherwise allocate
 * whatever a hostile peer makes them.
 */

/** A raw snappy block opens with its exact size. */
export function snappyBytes(input: Buffer): number {
  return new VarintCursor(input).unsigned()
}

const lz4FrameMagic = 0x184d2204
const skippableMagicMin = 0x184d2a50
const skippableMagicMax = 0x184d2a5f
/** The longest run that one byte of LZ4 can stand for. */
const lz4GrowthMax = 255

/**
 * An upper bound of what LZ4 frames decompress to: first by the frames' block sizes, and only if that says too much, by
 * walking the blocks' sequences, which is exact.
 */
export function lz4FrameBytesBound(input: Buffer, bytesMax: number): number {
  if (input.length * lz4GrowthMax <= bytesMax) return input.length * lz4GrowthMax
  let quick = 0
  for (const block of lz4Blocks(input)) quick += block.isRaw ? block.end - block.start : block.blockBytesMax
  if (quick <= bytesMax) return quick
  let exact = 0
  for (const block of lz4Blocks(input)) {
    exact += block.isRaw ? block.end - block.start : lz4BlockBytes(input, block.start, block.end)
    if (exact > bytesMax) return exact
  }
  return exact
}

interface Lz4Block {
  readonly start: number
  readonly end: number
  readonly isRaw: boolean
  readonly blockBytesMax: number
}

function* lz4Blocks(input: Buffer): Generator<Lz4Block> {
  let at = 0
  while (at < input.length) {
    const magic = uint32(input, at)
    if (magic >= skippableMagicMin && magic <= skippableMagicMax) {
      at += 8 + uint32(input, at + 4)
      continue
    }
    if (magic !== lz4FrameMagic) throw new MalformedError('lz4: no frame where one must begin')
    at = yield* lz4FrameBlocks(input, at)
  }
}

function* lz4FrameBlocks(input: Buffer, frameStart: number): Generator<Lz4Block, number> {
  const flags = input[frameStart + 4] ?? 0
  const sizeCode = ((input[frameStart + 5] ?? 0) >> 4) & 7
  const blockBytesMax = 1 << (8 + 2 * Math.max(4, sizeCode))
  let at = frameStart + 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0)
  for (;;) {
    const header = uint32(input, at)
    at += 4
    if (header === 0) break
    const end = at + (header & 0x7fffffff)
    if (end > input.length) throw new MalformedError('lz4: block runs beyond the input')
    yield { start: at, end, isRaw: header > 0x7fffffff, blockBytesMax }
    at = end + ((flags & 0x10) !== 0 ? 4 : 0)
  }
  return at + ((flags & 0x04) !== 0 ? 4 : 0)
}

function lz4BlockBytes(input: Buffer, start: number, end: number): number {
  let bytes = 0
  let at = start
  while (at < end) {
    const token = input[at++] ?? 0
    let literals = token >> 4
    if (literals === 15)
      for (let more = 255; more === 255 && at < end; literals += more) more = input[at++] ?? 0
    at += literals
    bytes += literals
    if (at >= end) break
    at += 2
    let match = (token & 15) + 4
    if (match === 19) for (let more = 255; more === 255 && at < end; match += more) more = input[at++] ?? 0
    bytes += match
  }
  return bytes
}

const zstdMagic = 0xfd2fb528
const zstdBlockBytesMax = 128 * 1024

/** An upper bound of what Zstandard frames decompress to: each compressed block counts as a full one. */
export function zstdBytesBound(input: Buffer): number {
  let bytes = 0
  let at = 0
  while (at < input.length) {
    const magic = uint32(input, at)
    if (magic >= skippableMagicMin && magic <= skippableMagicMax) {
      at += 8 + uint32(input, at + 4)
      continue
    }
    if (magic !== zstdMagic) throw new MalformedError('zstd: no frame where one must begin')
    const frame = zstdFrame(input, at)
    bytes += frame.bytes
    at = frame.end
  }
  return bytes
}

function zstdFrame(input: Buffer, start: number): { bytes: number; end: number } {
  const descriptor = input[start + 4] ?? 0
  const header = zstdHeader(descriptor, input, start + 5)
  let bytes = 0
  let at = header.end
  for (;;) {
    if (at + 3 > input.length) throw new MalformedError('zstd: frame is cut short')
    const block = input.readUIntLE(at, 3)
    const type = (block >> 1) & 3
    const size = block >> 3
    bytes += type === 2 ? header.blockBytesMax : size
    at += 3 + (type === 1 ? 1 : size)
    if ((block & 1) !== 0) break
  }
  const end = at + ((descriptor & 0x04) !== 0 ? 4 : 0)
  if (end > input.length) throw new MalformedError('zstd: frame is cut short')
  return { bytes: Math.min(bytes, header.contentBytes ?? bytes), end }
}

interface ZstdHeader {
  readonly end: number
  readonly blockBytesMax: number
  /** What a frame of a single segment promises; the decoder allocates no more than that for it. */
  readonly contentBytes: number | undefined
}

function zstdHeader(descriptor: number, input: Buffer, afterDescriptor: number): ZstdHeader {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const windowByte = input[afterDescriptor] ?? 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const contentAt = afterDescriptor + (isSingleSegment ? 0 : 1) + dictionaryBytes
  const end = contentAt + contentSizeBytes
  if (end > input.length) throw new MalformedError('zstd: frame header is cut short')
  const content = contentSize(input, contentAt, contentSizeBytes)
  const base = 2 ** (10 + (windowByte >> 3))
  const windowBytes = isSingleSegment ? (content ?? 0) : base + (base / 8) * (windowByte & 7)
  return {
    end,
    blockBytesMax: Math.min(windowBytes, zstdBlockBytesMax),
    contentBytes: isSingleSegment ? content : undefined,
  }
}

function contentSize(input: Buffer, at: number, bytes: number): number | undefined {
  if (bytes === 0) return undefined
  if (bytes === 2) return input.readUInt16LE(at) + 256
  if (bytes === 8) return Number(input.readBigUInt64LE(at))
  return input.readUIntLE(at, bytes)
}

function uint32(input: Buffer, at: number): number {
  if (at + 4 > input.length) throw new MalformedError('compressed bytes are cut short')
  return input.readUInt32LE(at)
}
