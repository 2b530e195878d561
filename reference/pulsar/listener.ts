import type { Socket } from 'node:net'
import { hostAndPort } from '../base/host-port.js'
import { createSocketServer, type TlsKeys } from '../security/tls.js'
import { PulsarConnection } from './connection.js'
import type { PulsarContext } from './context.js'
import { serviceOf } from './service.js'

export interface ListenOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** undefined: plain. */
  readonly tls?: TlsKeys | undefined
  /** What LOOKUP tells clients of this listener; from `advertisedAddress` and the port when absent. */
  readonly advertisedUrl?: string | undefined
}

export interface RunningListener {
  readonly port: number
  /** Stops accepting, and ends all connections; those whose clients do not take what was sent, after `graceMs`. */
  close(graceMs?: number): Promise<void>
}

const graceMsDefault = 1_000

/** Serves Pulsar's binary protocol. */
export async function startPulsarListener(
  context: PulsarContext,
  options: ListenOptions,
): Promise<RunningListener> {
  const service = serviceOf(context)
  const connections = new Map<Socket, PulsarConnection>()
  let serviceUrl = ''
  const { server, end } = createSocketServer(options.tls, context.log, (socket) => {
    connections.set(socket, new PulsarConnection(socket, service, serviceUrl))
    socket.on('close', () => connections.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', (error) => context.log.error({ err: error }, 'the Pulsar listener failed'))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  const host = context.config.advertisedAddress ?? options.host
  const scheme = options.tls === undefined ? 'pulsar' : 'pulsar+ssl'
  serviceUrl = options.advertisedUrl ?? `${scheme}://${hostAndPort(host, port)}`
  if (options.tls === undefined) service.serviceUrl ??= serviceUrl
  else service.serviceUrlTls ??= serviceUrl
  if (context.security?.authorizer)
    context.catalog.tenants.onPolicies((tenant, namespace) => {
      for (const connection of connections.values()) connection.dropUnauthorized(tenant, namespace)
    })
  return {
    port,
    close: (graceMs = graceMsDefault) =>
      new Promise((resolve) => {
        const cancel = context.clock.after(graceMs, () => {
          for (const socket of connections.keys()) socket.destroy()
          end()
        })
        server.close(() => {
          cancel()
          resolve()
        })
        for (const connection of connections.values()) connection.close()
      }),
  }
}
