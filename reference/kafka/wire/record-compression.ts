import { type CompressionCodec, gzip, lz4Frame, snappy, zstd } from '../../base/compression.js'
import { MalformedError } from '../../base/malformed.js'
import { xxh32OfHeader } from './xxh32.js'

/**
 * The compressions of Kafka's records, by the number in a batch's attributes: 1 gzip, 2 snappy, 3 lz4 (frame format),
 * 4 zstd (KIP-110). Snappy comes either raw or in the blocks of the Java library known as xerial; both are read, and the
 * latter is written, since every client reads it.
 */
const codecs: readonly (CompressionCodec | undefined)[] = [
  undefined,
  gzip,
  { compress: compressXerial, decompress: decompressSnappy },
  lz4Frame,
  zstd,
]

/**
 * @param codec from the batch's attributes; 0 gives the input back.
 * @throws MalformedError for an unknown codec, for bytes that are not what it says, and for more than the bound.
 */
export async function decompressRecords(
  codec: number,
  input: Buffer,
  uncompressedBytesMax: number,
): Promise<Buffer> {
  if (codec === 0) return input
  return codecFor(codec).decompress(input, uncompressedBytesMax)
}

export async function compressRecords(codec: number, input: Buffer): Promise<Buffer> {
  return codec === 0 ? input : codecFor(codec).compress(input)
}

function codecFor(codec: number): CompressionCodec {
  const found = codecs[codec]
  if (found === undefined) throw new MalformedError(`compression ${codec} does not exist`)
  return found
}

const xerialHeader = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const xerialNameBytes = 8
const xerialBlockBytes = 32 * 1024

async function compressXerial(input: Buffer): Promise<Buffer> {
  const pieces: Buffer[] = [xerialHeader]
  for (let at = 0; at < input.length; at += xerialBlockBytes) {
    const block = await snappy.compress(input.subarray(at, at + xerialBlockBytes))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    pieces.push(length, block)
  }
  return Buffer.concat(pieces)
}

async function decompressSnappy(input: Buffer, uncompressedBytesMax: number): Promise<Buffer> {
  const isFramed =
    input.length >= xerialHeader.length &&
    input.compare(xerialHeader, 0, xerialNameBytes, 0, xerialNameBytes) === 0
  if (!isFramed) return snappy.decompress(input, uncompressedBytesMax)
  const blocks: Buffer[] = []
  let bytes = 0
  for (let at = xerialHeader.length; at < input.length; ) {
    const end = xerialBlockEnd(input, at)
    const block = await snappy.decompress(input.subarray(at + 4, end), uncompressedBytesMax - bytes)
    blocks.push(block)
    bytes += block.length
    at = end
  }
  return Buffer.concat(blocks)
}

function xerialBlockEnd(input: Buffer, start: number): number {
  const length = start + 4 <= input.length ? input.readInt32BE(start) : -1
  const end = start + 4 + length
  if (length < 1 || end > input.length) throw new MalformedError('snappy: a block runs beyond the input')
  return end
}

/**
 * The first Kafka clients with lz4 (message format 0) hashed the frame's magic along with its header, so that their header
 * checksum is wrong by the LZ4 frame format. KIP-57 kept that quirk for format 0 only.
 * @returns the frame with the right checksum; a copy when it was another.
 */
export function withRightLz4Checksum(frame: Buffer): Buffer {
  const flags = frame[4] ?? 0
  const checksumAt = 6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0)
  if (checksumAt >= frame.length) throw new MalformedError('lz4: frame header is cut short')
  const right = (xxh32OfHeader(frame.subarray(4, checksumAt)) >>> 8) & 0xff
  if (frame[checksumAt] === right) return frame
  const copy = Buffer.from(frame)
  copy[checksumAt] = right
  return copy
}
