import { once } from 'node:events'
import { connect } from 'node:net'
import { int16, int32, kafkaString } from '../kafka-bytes.js'

const TIMEOUT_MS = 2_000
const METADATA = 3
const METADATA_VERSION = 1

/**
 * Whether a Kafka broker of this machine serves: it answers Metadata, and knows of a broker, itself. Some versions open
 * their listeners long before that.
 */
export async function answersKafka(port: number, host = '127.0.0.1'): Promise<boolean> {
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
    return frame !== null && frame.readInt32BE(BROKER_COUNT_AT) > 0
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** After the frame's length and the correlation id. */
const BROKER_COUNT_AT = 8

/** For no topic. */
function metadataRequest(): Buffer {
  const header = [int16(METADATA), int16(METADATA_VERSION), int32(1), kafkaString('kop-conformance')]
  const body = Buffer.concat([...header, int32(0)])
  return Buffer.concat([int32(body.length), body])
}
