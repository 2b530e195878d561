// The loop of every driver in Node: one JSON object a line in, one a line out (matrix/driver/messages.ts).
// @ts-check
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Thrown by an op that the library cannot express. */
export class Unsupported extends Error {}

/** Thrown by an op to answer an error under a name of the driver's choice. */
export class DriverError extends Error {
  /** @param {string} name @param {string} message */
  constructor(name, message) {
    super(message)
    this.name = name
  }
}

/** Requires packages from the folder that provisioning installed them in. */
export const requirePackage = createRequire(
  join(process.env.KOP_DRIVER_PACKAGES ?? process.cwd(), 'driver.cjs'),
)

/** @param {Uint8Array | null | undefined} value @returns {string | null} */
export function toBase64(value) {
  return value === null || value === undefined ? null : Buffer.from(value).toString('base64')
}

/** @param {string | null | undefined} text @returns {Buffer | null} */
export function fromBase64(text) {
  return text === null || text === undefined ? null : Buffer.from(text, 'base64')
}

/**
 * @param {{ client: string, version: string, kind: 'kafka' | 'pulsar' }} ready
 * @param {Record<string, (args: any) => Promise<unknown>>} ops
 * @param {(error: any) => string} nameOf the protocol's name of a library's error
 */
export function serve(ready, ops, nameOf) {
  const answerStream = process.stdout
  // Whatever the library prints is log.
  console.log = console.error
  console.info = console.error
  const write = (/** @type {unknown} */ line) => answerStream.write(`${JSON.stringify(line)}\n`)
  process.on('unhandledRejection', (reason) => console.error('unhandled rejection', reason))
  process.on('uncaughtException', (error) => console.error('uncaught exception', error))
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  lines.on('line', (line) => void answer(JSON.parse(line)))
  lines.on('close', () => process.exit(0))
  write({ ready })

  /** @param {{ id: number, op: string, args: any }} request */
  async function answer({ id, op, args }) {
    try {
      const run = ops[op]
      if (!run) throw new Unsupported(`${ready.client}'s driver has no op ${op}`)
      write({ id, result: (await run(args ?? {})) ?? {} })
    } catch (error) {
      if (error instanceof Unsupported) write({ id, unsupported: error.message })
      else
        write({
          id,
          error: { name: nameOf(error), message: String(/** @type {any} */ (error)?.message ?? error) },
        })
    }
  }
}
