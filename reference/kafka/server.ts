import type { Server, Socket } from 'node:net'
import { createSocketServer, type TlsKeys } from '../security/tls.js'
import { Connection, type ConnectionOptions } from './connection.js'

export interface KafkaListenerOptions extends ConnectionOptions {
  readonly host: string
  /** 0: one that is free. */
  readonly port: number
  /** undefined: plain. */
  readonly tls?: TlsKeys | undefined
  /** Told when a connection opens (1) and when it is over (−1). */
  onConnection?(change: 1 | -1): void
}

/** A port that speaks Kafka's protocol. */
export interface KafkaListener {
  readonly name: string
  readonly host: string
  /** The port in use, also when 0 was asked for. */
  readonly port: number
  /** How many connections are open. */
  readonly connectionCount: number
  /** Takes no more connections and requests, lets those under way be answered, but for `graceMs` at most. */
  stop(graceMs: number): Promise<void>
}

/** Opens a listener. @throws the system's own error when the address cannot be had. */
export async function startKafkaListener(options: KafkaListenerOptions): Promise<KafkaListener> {
  const sockets = new Map<Socket, Connection>()
  const { server, end } = createSocketServer(options.tls, options.log, (socket) => {
    sockets.set(socket, new Connection(socket, options))
    options.onConnection?.(1)
    socket.once('close', () => {
      sockets.delete(socket)
      options.onConnection?.(-1)
    })
  })
  const port = await listen(server, options)
  server.on('error', (error) =>
    options.log.error({ err: error, listener: options.listener }, 'listener failed'),
  )
  return {
    name: options.listener,
    host: options.host,
    port,
    get connectionCount() {
      return sockets.size
    },
    stop: (graceMs) => stop(server, sockets, end, graceMs, options),
  }
}

function listen(server: Server, { host, port }: KafkaListenerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : port)
    })
  })
}

async function stop(
  server: Server,
  sockets: ReadonlyMap<Socket, Connection>,
  end: () => void,
  graceMs: number,
  { clock }: KafkaListenerOptions,
): Promise<void> {
  const isClosed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  const cancel = clock.after(graceMs, () => {
    for (const socket of sockets.keys()) socket.destroy()
    end()
  })
  await Promise.all([...sockets.values()].map((connection) => connection.drain()))
  await isClosed
  cancel()
}
