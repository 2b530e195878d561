import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import * as zstdAddon from '@mongodb-js/zstd'
import * as lz4 from 'lz4-napi'
import * as snappyAddon from 'snappy'
import { lz4FrameBytesBound, snappyBytes, zstdBytesBound } from './compressed-size.js'
import { MalformedError } from './malformed.js'

/**
 * The raw compression formats that Kafka and Pulsar share. Work runs off the main thread; what is small enough to cost
 * less than the hand-over runs at once. Whatever a peer sends is bounded before memory is taken: input that would grow
 * beyond `uncompressedBytesMax`, or that breaks its format, throws a `MalformedError`.
 */
export interface CompressionCodec {
  compress(input: Buffer): Promise<Buffer>
  /** @returns at most `uncompressedBytesMax` bytes. */
  decompress(input: Buffer, uncompressedBytesMax: number): Promise<Buffer>
}

/** Below this many bytes a round trip to the thread pool costs more than the work. */
const inlineBytesMax = 8 * 1024

/** RFC 1952, one or several members. */
export const gzip: CompressionCodec = {
  async compress(input) {
    return input.length <= inlineBytesMax ? zlib.gzipSync(input) : gzipAsync(input)
  },
  decompress: (input, uncompressedBytesMax) =>
    guarded('gzip', async () => {
      const options = { maxOutputLength: atLeastOne(uncompressedBytesMax) }
      return input.length <= inlineBytesMax ? zlib.gunzipSync(input, options) : gunzipAsync(input, options)
    }),
}

/**
 * RFC 1950 (deflate with the zlib header): Pulsar's ZLIB. Pulsar's Java client flushes its streams but does not end them, so
 * that an end without the last block and checksum is none to complain of: the caller knows the size to expect.
 */
export const deflate: CompressionCodec = {
  async compress(input) {
    return input.length <= inlineBytesMax ? zlib.deflateSync(input) : deflateAsync(input)
  },
  decompress: (input, uncompressedBytesMax) =>
    guarded('zlib', async () => {
      const options = {
        maxOutputLength: atLeastOne(uncompressedBytesMax),
        finishFlush: zlib.constants.Z_SYNC_FLUSH,
      }
      return input.length <= inlineBytesMax ? zlib.inflateSync(input, options) : inflateAsync(input, options)
    }),
}

/** Snappy's raw block format, without framing. */
export const snappy: CompressionCodec = {
  async compress(input) {
    return input.length <= inlineBytesMax ? snappyAddon.compressSync(input) : snappyAddon.compress(input)
  },
  decompress: (input, uncompressedBytesMax) =>
    guarded('snappy', async () => {
      refuseBeyond('snappy', snappyBytes(input), uncompressedBytesMax)
      const small = input.length <= inlineBytesMax
      return asBuffer(small ? snappyAddon.uncompressSync(input) : await snappyAddon.uncompress(input))
    }),
}

/** LZ4's frame format, version 1.6 of its description: Kafka's lz4. */
export const lz4Frame: CompressionCodec = {
  async compress(input) {
    return input.length <= inlineBytesMax ? lz4.compressFrameSync(input) : lz4.compressFrame(input)
  },
  decompress: (input, uncompressedBytesMax) =>
    guarded('lz4', async () => {
      refuseBeyond('lz4', lz4FrameBytesBound(input, uncompressedBytesMax), uncompressedBytesMax)
      return input.length <= inlineBytesMax ? lz4.decompressFrameSync(input) : lz4.decompressFrame(input)
    }),
}

/** LZ4's block format, which does not know its own size: Pulsar's LZ4. */
export const lz4Block = {
  async compress(input: Buffer): Promise<Buffer> {
    const prefixed = input.length <= inlineBytesMax ? lz4.compressSync(input) : await lz4.compress(input)
    return prefixed.subarray(4)
  },
  /** @param uncompressedBytes the exact size, which travels beside the block; the caller has checked that it is bearable. */
  decompress: (input: Buffer, uncompressedBytes: number): Promise<Buffer> =>
    guarded('lz4', async () => {
      const prefixed = Buffer.allocUnsafe(input.length + 4)
      prefixed.writeUInt32LE(uncompressedBytes, 0)
      input.copy(prefixed, 4)
      const small = input.length <= inlineBytesMax
      const output = small ? lz4.uncompressSync(prefixed) : await lz4.uncompress(prefixed)
      if (output.length !== uncompressedBytes)
        throw new MalformedError(`lz4: ${output.length} bytes where ${uncompressedBytes} were announced`)
      return output
    }),
}

/**
 * Zstandard. Node has it built in from 22.15 on, with a bound on its output; before, the add-on decompresses, and the bound
 * is taken from the block headers: refused is what *could* exceed it.
 */
export const zstd: CompressionCodec = {
  compress: async (input) => (builtIn === undefined ? zstdAddon.compress(input) : builtIn.compress(input)),
  decompress: (input, uncompressedBytesMax) =>
    guarded('zstd', async () => {
      // Reads every block's header: some versions of Node take a cut-off frame for a whole one.
      const bytesBound = zstdBytesBound(input)
      if (builtIn !== undefined)
        return builtIn.decompress(input, { maxOutputLength: atLeastOne(uncompressedBytesMax) })
      refuseBeyond('zstd', bytesBound, uncompressedBytesMax)
      return refuseLonger('zstd', await zstdAddon.decompress(input), uncompressedBytesMax)
    }),
}

const gzipAsync = promisify<Buffer, Buffer>(zlib.gzip)
const gunzipAsync = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)
const deflateAsync = promisify<Buffer, Buffer>(zlib.deflate)
const inflateAsync = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate)

type Callback = (error: Error | null, output: Buffer) => void
/** Node's declarations of the floor version do not know its zstd. */
interface ZlibWithZstd {
  readonly gzip: unknown
  readonly zstdCompress?: (input: Buffer, callback: Callback) => void
  readonly zstdDecompress?: (input: Buffer, options: { maxOutputLength: number }, callback: Callback) => void
}

const builtIn = builtInZstd(zlib)

function builtInZstd({ zstdCompress, zstdDecompress }: ZlibWithZstd) {
  if (zstdCompress === undefined || zstdDecompress === undefined) return undefined
  return {
    compress: promisify<Buffer, Buffer>(zstdCompress),
    decompress: promisify<Buffer, { maxOutputLength: number }, Buffer>(zstdDecompress),
  }
}

/** zlib refuses a bound of 0, and an empty output is within a bound of 1 too. */
const atLeastOne = (bytesMax: number): number => Math.max(1, bytesMax)

function asBuffer(output: string | Buffer): Buffer {
  return typeof output === 'string' ? Buffer.from(output) : output
}

function refuseBeyond(format: string, bytes: number, bytesMax: number): void {
  if (bytes > bytesMax)
    throw new MalformedError(
      `${format}: would grow to ${bytes} bytes, more than the ${bytesMax} that are allowed`,
    )
}

function refuseLonger(format: string, output: Buffer, bytesMax: number): Buffer {
  refuseBeyond(format, output.length, bytesMax)
  return output
}

/** A library's own complaint about the bytes becomes ours, so that callers know one error. */
async function guarded(format: string, work: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MalformedError) throw error
    throw new MalformedError(`${format}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}
