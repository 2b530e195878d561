import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const RETRY_MS = 5
const ANSWER_TIMEOUT_MS = 2_000

/** An ApiVersions request, version 0, correlation id 7, no client id: what every Kafka client asks first. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff])
const ANSWER_BYTES_MIN = 10

/**
 * Waits until the broker answers a client's first request, trying anew every few milliseconds.
 * Resolves with the milliseconds from the call on.
 * @throws Error when it does not within `timeoutMs`, or `check` says that it never will; the signal's reason
 */
export async function untilAnswers(
  port: number,
  options: { timeoutMs: number; signal?: AbortSignal | undefined; check(): void },
): Promise<number> {
  const startMs = performance.now()
  while (!(await answers(port))) {
    options.signal?.throwIfAborted()
    options.check()
    if (performance.now() - startMs > options.timeoutMs) {
      throw new Error(`no answer to ApiVersions within ${options.timeoutMs} ms`)
    }
    await delay(RETRY_MS)
  }
  return performance.now() - startMs
}

/** Whether an ApiVersions response without an error comes back. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let received = Buffer.alloc(0)
    const end = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.on('connect', () => socket.write(API_VERSIONS))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= ANSWER_BYTES_MIN) {
        end(received.readInt32BE(4) === 7 && received.readInt16BE(8) === 0)
      }
    })
  })
}
