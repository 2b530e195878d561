import { readFileSync } from 'node:fs'
import { createServer as createPlainServer, type Server, type Socket } from 'node:net'
import { createSecureContext, createServer as createTlsServer } from 'node:tls'
import type { Log } from '../base/log.js'

/** PEM files' contents, for all listeners that speak TLS. */
export interface TlsKeys {
  readonly cert: Buffer
  readonly key: Buffer
  /** Whose certificates clients may show; undefined: clients' certificates are not asked for. */
  readonly ca: Buffer | undefined
  /** Clients that show none are refused. */
  readonly requiresClientCertificate: boolean
}

export interface TlsFiles {
  readonly certificate: string
  readonly key: string
  readonly trustCertificates: string | undefined
  readonly requiresClientCertificate: boolean
}

/** @throws Error with one line that names the file, and nothing of what a key holds. */
export function readTlsKeys(files: TlsFiles): TlsKeys {
  const keys: TlsKeys = {
    cert: readPem(files.certificate),
    key: readPem(files.key),
    ca: files.trustCertificates === undefined ? undefined : readPem(files.trustCertificates),
    requiresClientCertificate: files.requiresClientCertificate,
  }
  try {
    createSecureContext(secureOptions(keys))
  } catch {
    throw new Error(`${files.certificate} and ${files.key}: not a PEM certificate and its private key`)
  }
  return keys
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new Error(`${path}: cannot be read (${code})`)
  }
}

const secureOptions = ({ cert, key, ca }: TlsKeys) => ({ cert, key, ...(ca === undefined ? {} : { ca }) })

/** For servers that make their own sockets (HTTPS). */
export const tlsServerOptions = (keys: TlsKeys) => ({
  ...secureOptions(keys),
  minVersion: 'TLSv1.2' as const,
  requestCert: keys.ca !== undefined,
  rejectUnauthorized: keys.requiresClientCertificate,
})

const handshakeTimeoutMs = 30_000

/**
 * A server of plain sockets, or of such as have ended their TLS handshake. A handshake that fails ends its socket only. `end`
 * destroys all sockets, those still at it as well, for which `close` would wait.
 */
export function createSocketServer(
  tls: TlsKeys | undefined,
  log: Log,
  onSocket: (socket: Socket) => void,
): { readonly server: Server; end(): void } {
  if (tls === undefined) return { server: createPlainServer(onSocket), end: () => undefined }
  const raws = new Set<Socket>()
  const server = createTlsServer(
    { ...tlsServerOptions(tls), handshakeTimeout: handshakeTimeoutMs },
    (socket) => {
      // Shown, but by nobody that we trust: as in Pulsar only those who show none are let in without.
      const isStranger =
        tls.ca !== undefined && !socket.authorized && socket.getPeerX509Certificate() !== undefined
      if (!isStranger) return onSocket(socket)
      log.info({ client: socket.remoteAddress }, 'a client’s certificate is not trusted')
      socket.destroy()
    },
  )
  server.on('connection', (raw: Socket) => {
    raws.add(raw)
    raw.once('close', () => raws.delete(raw))
  })
  server.on('tlsClientError', (error, socket) => {
    log.debug({ reason: error.message, client: socket.remoteAddress }, 'a TLS handshake failed')
    socket.destroy()
  })
  return {
    server,
    end: () => {
      for (const raw of raws) raw.destroy()
    },
  }
}
