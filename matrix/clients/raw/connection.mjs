import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { DriverError } from '../lib/driver.mjs'

/** A socket whose answers are taken frame by frame: four bytes of length, then that many. Both protocols do so. */
export class RawConnection {
  #socket
  #buffer = Buffer.alloc(0)
  #frames = []
  #waiting = []
  #closed = false
  receivedBytes = 0

  /** @param caPath PEM file of who signed the other side's certificate; absent: without TLS */
  static open(address, caPath) {
    const at = address.lastIndexOf(':')
    const host = address.slice(0, at).replace(/^\[|\]$/g, '')
    const where = { host, port: Number(address.slice(at + 1)), noDelay: true }
    const servername = /^[\d.:a-f]+$/.test(host) ? '' : host
    const socket =
      caPath === undefined ? connect(where) : connectTls({ ...where, servername, ca: readFileSync(caPath) })
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once(caPath === undefined ? 'connect' : 'secureConnect', () => {
        socket.off('error', reject)
        resolve(new RawConnection(socket))
      })
    })
  }

  constructor(socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('close', () => this.#end())
    socket.on('end', () => this.#end())
  }

  get closed() {
    return this.#closed
  }

  write(bytes) {
    if (!this.#closed) this.#socket.write(bytes)
  }

  /** The next frame without its length; null when the other side has closed. */
  frame(timeoutMs) {
    const ready = this.#frames.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    if (this.#closed) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      const waiting = { resolve, timer: undefined }
      waiting.timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(new DriverError('TIMEOUT', `no answer within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#waiting.push(waiting)
    })
  }

  /** @returns whether the other side closed within the time; answers that come meanwhile are kept. */
  closes(timeoutMs) {
    if (this.#closed) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs)
      this.#socket.once('close', () => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  /**
   * Writes the same bytes again and again and reads nothing, until the other side takes no more for `stallMs`, closes,
   * or has taken `bytesMax`.
   */
  async flood(bytes, bytesMax, stallMs) {
    this.#socket.pause()
    const before = this.#socket.bytesWritten
    let offered = 0
    let stalled = false
    while (offered < bytesMax && !stalled && !this.#closed) {
      offered += bytes.length
      if (!this.#socket.write(bytes)) stalled = await this.#stalls(stallMs)
    }
    const pending = this.#socket.writableLength
    return { acceptedBytes: this.#socket.bytesWritten - before - pending, stalled, closed: this.#closed }
  }

  #stalls(stallMs) {
    return new Promise((resolve) => {
      const finish = (stalled) => {
        clearTimeout(timer)
        this.#socket.off('drain', drained)
        this.#socket.off('close', drained)
        resolve(stalled)
      }
      const drained = () => finish(false)
      const timer = setTimeout(() => finish(true), stallMs)
      this.#socket.once('drain', drained)
      this.#socket.once('close', drained)
    })
  }

  close() {
    this.#socket.destroy()
  }

  #take(chunk) {
    this.receivedBytes += chunk.length
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    while (this.#buffer.length >= 4) {
      const size = this.#buffer.readUInt32BE(0)
      if (this.#buffer.length < 4 + size) return
      this.#give(this.#buffer.subarray(4, 4 + size))
      this.#buffer = this.#buffer.subarray(4 + size)
    }
  }

  #give(frame) {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) return void this.#frames.push(frame)
    clearTimeout(waiting.timer)
    waiting.resolve(frame)
  }

  #end() {
    if (this.#closed) return
    this.#closed = true
    for (const waiting of this.#waiting.splice(0)) {
      clearTimeout(waiting.timer)
      waiting.resolve(null)
    }
    this.#socket.destroy()
  }
}
