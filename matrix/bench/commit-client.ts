import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { int16, int32, int64, kafkaString } from '../kafka-bytes.js'

/*
 * A client that commits, and nothing else: single requests of one group and one partition, each awaited, as by a consumer
 * without membership. Libraries commit through consumers of their own, of which a thousand would measure the machine.
 */

const OFFSET_COMMIT = { key: 8, version: 2 }
const OFFSET_FETCH = { key: 9, version: 2 }
const FIND_COORDINATOR = { key: 10, version: 0 }
const CLIENT_ID = 'kop-conformance-bench'

/** One connection with one request under way at a time. */
export class CommitConnection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve(frame: Buffer): void; reject(error: Error): void } | null = null
  #correlationId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the broker closed the connection')))
  }

  /** @throws Error when nobody listens there */
  static async open(port: number): Promise<CommitConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new CommitConnection(socket)
  }

  /** @returns the error code: 0, it is committed */
  async commit(group: string, topic: string, partition: number, offset: number): Promise<number> {
    const place = [kafkaString(topic), int32(1), int32(partition), int64(offset), kafkaString('')]
    const body = [kafkaString(group), int32(-1), kafkaString(''), int64(-1), int32(1), ...place]
    const answer = await this.#ask(OFFSET_COMMIT, body)
    return answer.readInt16BE(answer.length - 2)
  }

  /** Of one partition. @returns the error code: 0, the coordinator has the group's offsets */
  async fetch(group: string, topic: string, partition: number): Promise<number> {
    const answer = await this.#ask(OFFSET_FETCH, [
      kafkaString(group),
      int32(1),
      kafkaString(topic),
      int32(1),
      int32(partition),
    ])
    return answer.readInt16BE(answer.length - 2)
  }

  /** Makes the broker's topic of offsets, where it is made by being asked for. @returns the error code */
  async findCoordinator(group: string): Promise<number> {
    return (await this.#ask(FIND_COORDINATOR, [kafkaString(group)])).readInt16BE(4)
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(api: { key: number; version: number }, body: readonly Buffer[]): Promise<Buffer> {
    const header = [int16(api.key), int16(api.version), int32(++this.#correlationId), kafkaString(CLIENT_ID)]
    const request = Buffer.concat([...header, ...body])
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(Buffer.concat([int32(request.length), request]))
    })
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    if (this.#received.length < 4 || this.#received.length < 4 + this.#received.readInt32BE(0)) return
    const frame = this.#received.subarray(4)
    this.#received = Buffer.alloc(0)
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.resolve(frame)
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = null
  }
}
