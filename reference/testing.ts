import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { BrokerEndpoints } from './broker.js'
import { type TestRecord, testBatch } from './entry-format/test-kit.js'
import { produce } from './kafka/messages/00-produce.js'
import { fetch } from './kafka/messages/01-fetch.js'
import { createTopics } from './kafka/messages/19-create-topics.js'
import { decodeResponse, encodeRequest } from './kafka/wire/frames.js'
import { isRecordsRefusal, readBatch, splitBatches } from './kafka/wire/record-batch.js'
import { openRecords } from './kafka/wire/record-cursor.js'
import type { Api, RequestToWrite, ResponseToRead } from './kafka/wire/schema.js'
import type { CommandBody, CommandName } from './pulsar/wire/commands.js'
import { encodeFrameWithRest, type Frame, FrameSplitter } from './pulsar/wire/frames.js'

/* For tests: the broker as a process of its own, and the barest clients of both protocols. */

const program = fileURLToPath(new URL('main.js', import.meta.url))

/** Any free ports, on this machine only. */
const anyPorts = {
  'kafka-listeners': 'PLAINTEXT://127.0.0.1:0',
  'broker-service-port': '0',
  'web-service-port': '0',
}

/** A folder of its own for a test's broker. */
export function scratchFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'kop-broker-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** How a process ended that did not come to serve. */
export interface Refused {
  readonly code: number | null
  readonly stderr: string
}

export interface Launch {
  /** Flags by name without dashes: `{ 'data-directory': '…' }`. */
  readonly flags?: Readonly<Record<string, string>>
  readonly arguments?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** No file may grow beyond so many blocks of 512 bytes: to the program the disk is full there. */
  readonly fileBlocksMax?: number
}

/** The shipped broker in a process of its own. */
export class BrokerProcess {
  static readonly #running = new Set<ChildProcess>()
  readonly endpoints: BrokerEndpoints
  readonly #child: ChildProcess
  readonly #stderr: () => string

  private constructor(child: ChildProcess, endpoints: BrokerEndpoints, stderr: () => string) {
    this.#child = child
    this.endpoints = endpoints
    this.#stderr = stderr
  }

  /** @throws Error with what the broker said when it does not serve. */
  static async start(launch: Launch): Promise<BrokerProcess> {
    const started = await BrokerProcess.launch(launch)
    if (started instanceof BrokerProcess) return started
    throw new Error(`the broker ended with ${started.code}: ${started.stderr}`)
  }

  /** @returns the serving broker, or how it ended. */
  static async launch(launch: Launch): Promise<BrokerProcess | Refused> {
    const child = spawnBroker(launch)
    BrokerProcess.#running.add(child)
    child.once('close', () => BrokerProcess.#running.delete(child))
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const ended = once(child, 'close').then(([code]): Refused => ({ code, stderr }))
    const ready = once(createInterface({ input: child.stdout ?? process.stdin }), 'line').then(
      ([line]) => new BrokerProcess(child, JSON.parse(String(line)).ready, () => stderr),
    )
    return Promise.race([ready, ended])
  }

  /** Kills what a failed test left behind: the test's own process would wait for it. */
  static killAll(): void {
    for (const child of BrokerProcess.#running) child.kill('SIGKILL')
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** All that it has logged. */
  get stderr(): string {
    return this.#stderr()
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** @returns its exit code; null when the signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.isAlive) return this.#child.exitCode
    const closed = once(this.#child, 'close')
    this.#child.kill(signal)
    const [code] = await closed
    return code
  }

  kafka(): Promise<KafkaClient> {
    const { hostname, port } = new URL(`kafka://${this.endpoints.kafka}`)
    return KafkaClient.connect(hostname, Number(port))
  }

  async pulsar(): Promise<PulsarClient> {
    const { hostname, port } = new URL(this.endpoints.pulsar)
    const client = await PulsarClient.connect(hostname, Number(port))
    client.send('CONNECT', { clientVersion: 'test', protocolVersion: 21 })
    await client.expect('CONNECTED')
    return client
  }
}

function spawnBroker(launch: Launch): ChildProcess {
  const flags = Object.entries({ ...anyPorts, ...launch.flags }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ])
  const command = [process.execPath, program, ...flags, ...(launch.arguments ?? [])]
  const { fileBlocksMax } = launch
  const [file = '', ...rest] =
    fileBlocksMax === undefined
      ? command
      : ['/bin/sh', '-c', `ulimit -f ${fileBlocksMax}; exec "$@"`, 'sh', ...command]
  return spawn(file, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...launch.environment },
  })
}

/** Hands out what arrives on a socket, in order. */
class Arrivals<T> {
  readonly #arrived: T[] = []
  #isClosed = false
  #wake: () => void = () => {}

  push(item: T): void {
    this.#arrived.push(item)
    this.#wake()
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  async next(): Promise<T> {
    for (;;) {
      const item = this.#arrived.shift()
      if (item !== undefined) return item
      if (this.#isClosed) throw new Error('the broker closed the connection')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** @param ca whom to trust, as PEM: over TLS then. */
async function connected(host: string, port: number, ca?: string): Promise<Socket> {
  const socket =
    ca === undefined ? connect(port, host) : connectTls({ host, port, ca, servername: 'localhost' })
  await once(socket, ca === undefined ? 'connect' : 'secureConnect')
  socket.on('error', () => {})
  return socket
}

/** Single Kafka requests, one after the other. */
export class KafkaClient {
  readonly socket: Socket
  readonly #frames = new Arrivals<Buffer>()
  #bytes = Buffer.alloc(0)
  #correlationId = 0

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('close', () => this.#frames.close())
  }

  static async connect(host: string, port: number, ca?: string): Promise<KafkaClient> {
    return new KafkaClient(await connected(host, port, ca))
  }

  async call<A extends Api>(
    api: A,
    apiVersion: number,
    request: RequestToWrite<A>,
  ): Promise<ResponseToRead<A>> {
    const correlationId = ++this.#correlationId
    for (const piece of encodeRequest(api, { apiVersion, correlationId, clientId: 'test' }, request))
      this.socket.write(piece)
    return decodeResponse(await this.#frames.next(), api, apiVersion).body
  }

  /** A bare frame, as SASL has them after handshake v0. @returns the bare answer. */
  raw(bytes: Buffer): Promise<Buffer> {
    const length = Buffer.alloc(4)
    length.writeInt32BE(bytes.length)
    this.socket.write(Buffer.concat([length, bytes]))
    return this.#frames.next()
  }

  /** @throws Error when the topic cannot be made. */
  async createTopic(name: string, partitions = 1): Promise<void> {
    const { topics } = await this.call(createTopics, 4, {
      topics: [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 10_000,
      validateOnly: false,
    })
    const code = topics[0]?.errorCode
    if (code !== 0) throw new Error(`${name}: error ${code}`)
  }

  /** @returns error code and base offset of partition 0. */
  async produce(
    topic: string,
    values: readonly Buffer[],
  ): Promise<{ errorCode: number; baseOffset: bigint }> {
    const { bytes } = await testBatch(values.map(recordOf))
    const { responses } = await this.call(produce, 8, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: [bytes] }] }],
    })
    const answer = responses[0]?.partitionResponses[0]
    if (answer === undefined) throw new Error('an empty answer')
    return answer
  }

  /** The values of partition 0 from its start to its end. */
  async readAll(topic: string): Promise<readonly Buffer[]> {
    const values: Buffer[] = []
    for (;;) {
      const { records, highWatermark } = await this.#fetch(topic, BigInt(values.length))
      for (const value of await valuesFrom(records, values.length)) values.push(value)
      if (BigInt(values.length) >= highWatermark) return values
    }
  }

  async #fetch(topic: string, fetchOffset: bigint) {
    const { responses } = await this.call(fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 50_000_000,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 50_000_000 }] }],
    })
    const answer = responses[0]?.partitions[0]
    if (answer === undefined || answer.errorCode !== 0)
      throw new Error(`${topic} from ${fetchOffset}: error ${answer?.errorCode}`)
    return { records: answer.records ?? Buffer.alloc(0), highWatermark: answer.highWatermark }
  }

  #receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readInt32BE(0)) {
      const end = 4 + this.#bytes.readInt32BE(0)
      this.#frames.push(this.#bytes.subarray(4, end))
      this.#bytes = this.#bytes.subarray(end)
    }
  }
}

const recordOf = (value: Buffer): TestRecord => ({
  timestampMs: 1_700_000_000_000,
  key: null,
  value,
  headers: [],
})

async function valuesFrom(records: Buffer, offset: number): Promise<readonly Buffer[]> {
  const batches = splitBatches(records)
  if (isRecordsRefusal(batches)) throw new Error(batches.message)
  const values: Buffer[] = []
  for (const bytes of batches) {
    const batch = readBatch(bytes)
    const cursor = await openRecords(batch)
    const baseOffset = Number(bytes.readBigInt64BE(0))
    for (let left = batch.recordCount; left > 0; left--) {
      cursor.next()
      if (baseOffset + cursor.offsetDelta >= offset)
        values.push(cursor.buffer.subarray(cursor.valueStart, cursor.valueEnd))
    }
  }
  return values
}

/** Single Pulsar commands. */
export class PulsarClient {
  readonly socket: Socket
  readonly #frames = new Arrivals<Frame>()

  private constructor(socket: Socket) {
    this.socket = socket
    const splitter = new FrameSplitter(100_000_000)
    socket.on('data', (chunk) => {
      splitter.push(chunk)
      for (let frame = splitter.next(); frame !== null; frame = splitter.next()) this.#frames.push(frame)
    })
    socket.on('close', () => this.#frames.close())
  }

  static async connect(host: string, port: number, ca?: string): Promise<PulsarClient> {
    return new PulsarClient(await connected(host, port, ca))
  }

  send<Name extends CommandName>(name: Name, body: CommandBody<Name>, rest: readonly Buffer[] = []): void {
    for (const piece of encodeFrameWithRest(name, body, rest)) this.socket.write(piece)
  }

  /** The next command, keep-alives aside. */
  async next(): Promise<Frame['command']> {
    for (;;) {
      const { command } = await this.#frames.next()
      if (command.name !== 'PING') return command
      this.send('PONG', {})
    }
  }

  /** What follows the next MESSAGE command. @throws Error when another command comes. */
  async message(): Promise<Buffer> {
    const { command, rest } = await this.#frames.next()
    if (command.name !== 'MESSAGE') throw new Error(`${command.name} where MESSAGE is expected`)
    return rest
  }

  /** @throws Error when the next command is another one. */
  async expect<Name extends CommandName>(name: Name): Promise<CommandBody<Name>> {
    const command = await this.next()
    if (command.name !== name) throw new Error(`${command.name} where ${name} is expected`)
    return command.body as CommandBody<Name>
  }
}
