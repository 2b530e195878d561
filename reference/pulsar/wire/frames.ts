import { MalformedError } from '../../base/malformed.js'
import {
  brokerEntryMetadata,
  type Command,
  type CommandBody,
  type CommandName,
  decodeCommand,
  encodeCommand,
  type UnknownCommand,
} from './commands.js'

/**
 * Pulsar's frames: total size (4, big-endian, itself not counted), command size (4), command, and for SEND and MESSAGE
 * the "headers and payload". A MESSAGE may carry PIP-70's broker entry metadata before those: 0x0e02, size (4), message.
 */
export interface Frame {
  readonly command: Command | UnknownCommand
  /** What follows the command; empty for most. */
  readonly rest: Buffer
  readonly bytes: number
}

/** What Pulsar allows in a frame beyond the message itself. */
const FRAME_PADDING_BYTES = 10 * 1024
export const frameBytesMax = (maxMessageBytes: number): number => maxMessageBytes + FRAME_PADDING_BYTES

/** Cuts a byte stream into frames. Bytes are copied only where a frame spans several chunks. */
export class FrameSplitter {
  #chunks: Buffer[] = []
  #length = 0
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
  }

  /**
   * @returns null when no whole frame has arrived.
   * @throws MalformedError when the frame is larger than allowed or not a frame.
   */
  next(): Frame | null {
    if (this.#length < 4) return null
    const size = this.#gather(4).readUInt32BE(0)
    if (size < 4 || size > this.#bytesMax)
      throw new MalformedError(`a frame of ${size} bytes; at most ${this.#bytesMax} are accepted`)
    if (this.#length < 4 + size) return null
    const bytes = this.#gather(4 + size)
    this.#take(4 + size)
    return decodeFrame(bytes, 4 + size)
  }

  /** The first chunk, made at least `count` bytes long. */
  #gather(count: number): Buffer {
    const first = this.#chunks[0] ?? Buffer.alloc(0)
    if (first.length >= count) return first
    const pieces: Buffer[] = []
    let have = 0
    while (have < count) {
      const piece = this.#chunks.shift() ?? Buffer.alloc(0)
      pieces.push(piece)
      have += piece.length
    }
    const whole = Buffer.concat(pieces)
    this.#chunks.unshift(whole)
    return whole
  }

  #take(count: number): void {
    const first = this.#chunks[0] ?? Buffer.alloc(0)
    if (first.length === count) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(count)
    this.#length -= count
  }
}

function decodeFrame(buffer: Buffer, end: number): Frame {
  const commandSize = buffer.readUInt32BE(4)
  const commandEnd = 8 + commandSize
  if (commandEnd > end) throw new MalformedError('a command longer than its frame')
  return {
    command: decodeCommand(buffer, 8, commandEnd),
    rest: buffer.subarray(commandEnd, end),
    bytes: end,
  }
}

/** A frame of a command alone. */
export function encodeFrame<Name extends CommandName>(name: Name, body: CommandBody<Name>): Buffer {
  return frameHead(encodeCommand(name, body), 0)
}

function frameHead(command: Buffer, restBytes: number): Buffer {
  const head = Buffer.allocUnsafe(8 + command.length)
  head.writeUInt32BE(4 + command.length + restBytes, 0)
  head.writeUInt32BE(command.length, 4)
  command.copy(head, 8)
  return head
}

/** PIP-70's prefix: the broker's time, and the index of the entry's LAST message. */
export function encodeBrokerEntryMetadata(brokerTimestampMs: number, lastIndex: number): Buffer {
  const message = brokerEntryMetadata.encode({ brokerTimestampMs, index: lastIndex })
  const prefix = Buffer.allocUnsafe(6 + message.length)
  prefix.writeUInt16BE(0x0e02, 0)
  prefix.writeUInt32BE(message.length, 2)
  message.copy(prefix, 6)
  return prefix
}

/** A frame of a command with what follows it, in pieces; the pieces given are passed on, not copied. */
export function encodeFrameWithRest<Name extends CommandName>(
  name: Name,
  body: CommandBody<Name>,
  rest: readonly Buffer[],
): readonly Buffer[] {
  let restBytes = 0
  for (const piece of rest) restBytes += piece.length
  return [frameHead(encodeCommand(name, body), restBytes), ...rest]
}
