import { deflate, lz4Block, snappy, zstd } from '../../base/compression.js'
import { MalformedError } from '../../base/malformed.js'

/** Pulsar's CompressionType numbers. */
export const compressionTypes = { none: 0, lz4: 1, zlib: 2, zstd: 3, snappy: 4 } as const

/** Beyond this an announced size is not believed: a payload is at most a few megabytes, a chunked message a few more. */
const uncompressedBytesMax = 256 * 1024 * 1024
/** No byte of LZ4 stands for more than 255: what is announced beyond that is a lie, and memory is not taken for it. */
const lz4RatioMax = 255

/** Zstandard is bounded by what its blocks could hold, which is more than they do; the size is compared afterwards. */
const zstdSlackBytes = 16 * 1024 * 1024

/** @throws MalformedError for a type that Pulsar does not have */
export async function compressPayload(type: number, payload: Buffer): Promise<Buffer> {
  switch (type) {
    case compressionTypes.none:
      return payload
    case compressionTypes.lz4:
      return lz4Block.compress(payload)
    case compressionTypes.zlib:
      return deflate.compress(payload)
    case compressionTypes.zstd:
      return zstd.compress(payload)
    case compressionTypes.snappy:
      return snappy.compress(payload)
    default:
      throw new MalformedError(`unknown compression type ${type}`)
  }
}

/**
 * @param uncompressedBytes the size that the metadata announces
 * @throws MalformedError for an unknown type, broken input, or a size other than announced
 */
export async function decompressPayload(
  type: number,
  payload: Buffer,
  uncompressedBytes: number,
): Promise<Buffer> {
  if (type === compressionTypes.none) return payload
  if (!(uncompressedBytes >= 0 && uncompressedBytes <= uncompressedBytesMax))
    throw new MalformedError(`an uncompressed size of ${uncompressedBytes} bytes is out of bounds`)
  const output = await decompress(type, payload, uncompressedBytes)
  if (output.length !== uncompressedBytes)
    throw new MalformedError(`payload has ${output.length} bytes where ${uncompressedBytes} were announced`)
  return output
}

async function decompress(type: number, payload: Buffer, uncompressedBytes: number): Promise<Buffer> {
  switch (type) {
    case compressionTypes.lz4:
      if (uncompressedBytes > payload.length * lz4RatioMax)
        throw new MalformedError(`${payload.length} bytes of lz4 cannot hold ${uncompressedBytes}`)
      return lz4Block.decompress(payload, uncompressedBytes)
    case compressionTypes.zlib:
      return deflate.decompress(payload, uncompressedBytes)
    case compressionTypes.zstd:
      return zstd.decompress(payload, uncompressedBytes + zstdSlackBytes)
    case compressionTypes.snappy:
      return snappy.decompress(payload, uncompressedBytes)
    default:
      throw new MalformedError(`unknown compression type ${type}`)
  }
}
