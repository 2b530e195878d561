// Running kcat: its arguments, what it prints, and what its errors mean.
// @ts-check
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { DriverError, Unsupported } from '../lib/driver.mjs'

const PROGRAM = process.env.KOP_DRIVER_PROGRAM ?? 'kcat'

/** What librdkafka says, and the protocol's name of it, where that does not follow from the words. @type {[RegExp, string][]} */
const ERRORS = [
  [/SASL authentication error|Authentication fail|SaslAuth/i, 'SASL_AUTHENTICATION_FAILED'],
  [/Offset out of range|No offset to automatically reset to/, 'OFFSET_OUT_OF_RANGE'],
  [/Message size too large/, 'MESSAGE_TOO_LARGE'],
  [/Message batch larger|Batch too large/i, 'RECORD_LIST_TOO_LARGE'],
  [/Unknown topic|Unknown partition|partition \d+ does not exist/, 'UNKNOWN_TOPIC_OR_PARTITION'],
  [/Static consumer fenced/, 'FENCED_INSTANCE_ID'],
  [/Invalid topic/, 'INVALID_TOPIC_EXCEPTION'],
  [/failed to validate record/, 'INVALID_RECORD'],
  [/timed out|Timed out/, 'TIMEOUT'],
]
/** What librdkafka gets over by itself, as kcat does with -E. */
const PASSING = /transport failure|All broker connections are down|Disconnected|Connect to|Connection /

/** @param {string} line one of kcat's standard error @returns {Error | null} */
export function errorOf(line) {
  if (/No such configuration property/.test(line))
    return new Unsupported(`this librdkafka has no such setting: ${line}`)
  if (!/^% (ERROR|FATAL|Delivery failed)|^%[0-3]\|.*(SASL|FATAL)/.test(line)) return null
  const name = ERRORS.find(([words]) => words.test(line))?.[1]
  if (name !== undefined) return new DriverError(name, line)
  if (PASSING.test(line)) return null
  const words = line.match(/Broker: ([A-Za-z ]+)/)?.[1]
  return new DriverError(words ? words.trim().toUpperCase().replaceAll(' ', '_') : 'KcatError', line)
}

/** -X of each setting. @param {Record<string, string | number | boolean>} settings */
export function optionsOf(settings) {
  return Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`])
}

/** One run of kcat. */
export class Kcat {
  #child
  #ended = false
  /** The first error that it told. @type {Error | null} */
  failure = null
  /** Of all that its standard error told, the last lines. @type {string[]} */
  told = []
  /** Resolves with its exit code, when all that it printed is read. @type {Promise<number>} */
  ended

  /**
   * @param {readonly string[]} args
   * @param {{ onOutput?: (line: Buffer) => void, onRest?: (rest: Buffer) => void, onTold?: (line: string) => void, input?: Buffer }} options
   */
  constructor(args, { onOutput = () => {}, onRest = () => {}, onTold = () => {}, input } = {}) {
    this.#child = spawn(PROGRAM, [...args], { env: { ...process.env, KCAT_CONFIG: '/dev/null' } })
    this.#child.stdin.on('error', () => {})
    this.#child.stdin.end(input)
    readLines(this.#child.stdout, onOutput, onRest)
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      console.error(line)
      this.told.push(line)
      this.failure ??= errorOf(line)
      onTold(line)
    })
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.failure ??= error
        resolve(-1)
      })
      this.#child.on('close', (code) => resolve(code ?? -1))
    }).then((code) => {
      this.#ended = true
      return code
    })
  }

  get alive() {
    return !this.#ended
  }

  /** As ^C does: a member leaves its group. */
  stop() {
    if (!this.#ended) this.#child.kill('SIGTERM')
  }

  kill() {
    if (!this.#ended) this.#child.kill('SIGKILL')
  }
}

/** Lines as bytes: kcat prints those of keys and values as they are. `onRest`: what no line end follows. */
function readLines(stream, onLine, onRest) {
  /** @type {Buffer[]} */
  let parts = []
  stream.on('data', (/** @type {Buffer} */ chunk) => {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      onLine(Buffer.concat([...parts, chunk.subarray(start, end)]))
      parts = []
      start = end + 1
    }
    if (start < chunk.length) parts.push(chunk.subarray(start))
  })
  stream.on('end', () => onRest(Buffer.concat(parts)))
}

/**
 * Runs kcat to its end. @param {readonly string[]} args @param {number} timeoutMs @param {Buffer} [input]
 * @returns {Promise<{ output: Buffer[], told: string[] }>}
 */
export async function runKcat(args, timeoutMs, input) {
  /** @type {Buffer[]} */
  const output = []
  const add = (/** @type {Buffer} */ line) => output.push(line)
  // A refused log-in is tried again until the time is over.
  const onTold = () => {
    if (run.failure instanceof DriverError && run.failure.name === 'SASL_AUTHENTICATION_FAILED') run.kill()
  }
  const run = new Kcat(args, { onOutput: add, onRest: add, onTold, input })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    run.kill()
  }, timeoutMs)
  const code = await run.ended.finally(() => clearTimeout(timer))
  if (run.failure !== null) throw run.failure
  if (isLate) throw new DriverError('TIMEOUT', `kcat took more than ${timeoutMs} ms`)
  if (code !== 0) throw new DriverError('KcatError', run.told.at(-1) ?? `kcat ended with ${code}`)
  return { output, told: run.told }
}

/** A record of kcat's JSON envelope, which holds the bytes of keys and values as they are. @param {Buffer} line */
export function recordOf(line) {
  // Each byte one character: what is not UTF-8 stays what it is.
  const envelope = JSON.parse(line.toString('latin1'))
  const { partition, offset, ts, tstype, key, payload, headers = [] } = envelope
  const pairs = []
  for (let at = 0; at < headers.length; at += 2)
    pairs.push([Buffer.from(headers[at], 'latin1').toString(), bytesOf(headers[at + 1])])
  const types = { create: 'create', logappend: 'append' }
  return {
    topic: Buffer.from(envelope.topic, 'latin1').toString(),
    partition,
    offset: String(offset),
    timestamp: String(ts ?? -1),
    ...(tstype in types && { timestampType: types[/** @type {'create'} */ (tstype)] }),
    key: bytesOf(key),
    value: bytesOf(payload),
    headers: pairs,
  }
}

/** @param {string | null | undefined} text */
function bytesOf(text) {
  return text === null || text === undefined ? null : Buffer.from(text, 'latin1').toString('base64')
}
