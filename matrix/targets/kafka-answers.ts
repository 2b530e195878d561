import { once } from 'node:events'
import { connect } from 'node:net'
import { int16, int32, kafkaString } from '../kafka-bytes.js'

const TIMEOUT_MS = 2_000
const METADATA = 3
const METADATA_VERSION = 1

/** What a broker says of itself in a moment. */
export interface Seen {
  readonly brokers: number
  /** Partitions that have a leader. */
  readonly led: number
}

/**
 * Asks a Kafka broker of this machine for Metadata of all topics: one that serves knows of a broker, itself. Some
 * versions open their listeners long before that. Null: nobody answers.
 */
export async function askMetadata(port: number, host = '127.0.0.1'): Promise<Seen | null> {
  const socket = connect(port, host)
  const answer = new Promise<Buffer>((resolve) => {
    let read = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      read = Buffer.concat([read, chunk])
      if (read.length >= 4 && read.length >= 4 + read.readInt32BE(0)) resolve(read)
    })
  })
  try {
    socket.write(metadataRequest())
    const ended = once(socket, 'close', { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(() => null)
    const frame = await Promise.race([answer, ended])
    return frame === null ? null : readMetadata(frame)
  } catch {
    return null
  } finally {
    socket.destroy()
  }
}

function metadataRequest(): Buffer {
  const header = [int16(METADATA), int16(METADATA_VERSION), int32(1), kafkaString('kop-conformance')]
  const allTopics = int32(-1)
  const body = Buffer.concat([...header, allTopics])
  return Buffer.concat([int32(body.length), body])
}

/** Version 1, from the frame's length and the correlation id on. */
function readMetadata(frame: Buffer): Seen {
  let at = 8
  const number16 = () => {
    at += 2
    return frame.readInt16BE(at - 2)
  }
  const number32 = () => {
    at += 4
    return frame.readInt32BE(at - 4)
  }
  const skipString = () => {
    const length = number16()
    at += Math.max(0, length)
  }
  const each = (read: () => void) => {
    const count = number32()
    for (let done = 0; done < count; done++) read()
    return count
  }
  let led = 0
  const brokers = each(() => {
    number32()
    skipString()
    number32()
    skipString()
  })
  number32()
  each(() => {
    number16()
    skipString()
    at += 1
    each(() => {
      const errorCode = number16()
      number32()
      if (number32() >= 0 && errorCode === 0) led += 1
      each(number32)
      each(number32)
    })
  })
  return { brokers, led }
}
