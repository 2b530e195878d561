import { createHash, createHmac, createSecretKey, pbkdf2Sync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { generate } from 'selfsigned'
import { saslHandshake } from '../kafka/messages/17-sasl-handshake.js'
import { saslAuthenticate } from '../kafka/messages/36-sasl-authenticate.js'
import { errorName } from '../kafka/wire/errors.js'
import { BrokerProcess, KafkaClient, PulsarClient, scratchFolder } from '../testing.js'

/* For tests: a broker with all of its security on, and clients that log in. */

const secretKey = Buffer.from('do-not-tell-this-secret-of-tokens-to-anyone')
export const superRole = 'root'

/** A token as any JWT tool makes it. */
export function tokenFor(role: string, expiresInSeconds?: number): Promise<string> {
  const token = new SignJWT({ sub: role }).setProtectedHeader({ alg: 'HS256' })
  if (expiresInSeconds !== undefined)
    token.setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
  return token.sign(createSecretKey(secretKey))
}

export interface Secured {
  readonly broker: BrokerProcess
  /** The certificate of all TLS ports, PEM. */
  readonly ca: string
  /** What no log may hold: keys; passwords and tokens are the test's own. */
  readonly secrets: readonly string[]
  kafka(listener?: 'SASL_PLAINTEXT' | 'SASL_SSL'): Promise<KafkaClient>
  pulsar(): Promise<PulsarClient>
  /** @returns status and text. */
  admin(method: string, path: string, token?: string, body?: unknown): Promise<readonly [number, string]>
  stop(): Promise<void>
}

/** A broker with authentication, authorization and TLS, in a folder of its own, that logs all that it can. */
export async function startSecured(flags: Readonly<Record<string, string>> = {}): Promise<Secured> {
  const folder = scratchFolder()
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  const certificate = join(folder.path, 'cert.pem')
  const privateKey = join(folder.path, 'key.pem')
  writeFileSync(certificate, cert)
  writeFileSync(privateKey, key)
  const broker = await BrokerProcess.start({
    flags: {
      'data-directory': join(folder.path, 'data'),
      'kafka-listeners': 'SASL_PLAINTEXT://127.0.0.1:0,SASL_SSL://127.0.0.1:0',
      'broker-service-port-tls': '0',
      'web-service-port-tls': '0',
      'tls-certificate-file-path': certificate,
      'tls-key-file-path': privateKey,
      'authentication-enabled': 'true',
      'authorization-enabled': 'true',
      'super-user-roles': superRole,
      'log-level': 'trace',
      ...flags,
    },
    environment: { KOP_TOKEN_SECRET_KEY: `data:;base64,${secretKey.toString('base64')}` },
  })
  const { endpoints } = broker
  return {
    broker,
    ca: cert,
    secrets: [secretKey.toString(), secretKey.toString('base64').slice(0, 20)],
    kafka: (listener = 'SASL_PLAINTEXT') =>
      connectTo(`kafka://${endpoints.kafkaListeners?.[listener]}`, (host, port) =>
        KafkaClient.connect(host, port, listener === 'SASL_SSL' ? cert : undefined),
      ),
    pulsar: () => connectTo(endpoints.pulsar, (host, port) => PulsarClient.connect(host, port)),
    admin: async (method, path, token, body) => {
      const response = await fetch(`${endpoints.admin}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return [response.status, await response.text()]
    },
    stop: async () => {
      await broker.stop()
      folder.remove()
    },
  }
}

function connectTo<Client>(
  url: string,
  connect: (host: string, port: number) => Promise<Client>,
): Promise<Client> {
  const { hostname, port } = new URL(url)
  return connect(hostname, Number(port))
}

/** What the broker said at the end of a log-in. */
export interface LoginAnswer {
  readonly error: string
  readonly message: string | null
  readonly bytes: Buffer
  readonly lifetimeMs: number
}

/** One message of a log-in; the handshake first, when `mechanism` is given. */
export async function authenticate(
  client: KafkaClient,
  mechanism: string | null,
  message: string | Buffer,
): Promise<LoginAnswer> {
  if (mechanism !== null) {
    const { errorCode } = await client.call(saslHandshake, 1, { mechanism })
    if (errorCode !== 0)
      return { error: errorName(errorCode), message: null, bytes: Buffer.alloc(0), lifetimeMs: 0 }
  }
  const answer = await client.call(saslAuthenticate, 2, { authBytes: Buffer.from(message) })
  return {
    error: errorName(answer.errorCode),
    message: answer.errorMessage,
    bytes: answer.authBytes,
    lifetimeMs: Number(answer.sessionLifetimeMs),
  }
}

export const plainMessage = (user: string, password: string) => `\0${user}\0${password}`

/** @throws Error when it is refused. */
export async function loginPlain(client: KafkaClient, user: string, password: string): Promise<KafkaClient> {
  const { error, message } = await authenticate(client, 'PLAIN', plainMessage(user, password))
  if (error !== 'NONE') throw new Error(`${error}: ${message}`)
  return client
}

/** A SCRAM client by the RFC's formulas. */
export async function loginScram(
  client: KafkaClient,
  mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
  user: string,
  password: string,
): Promise<LoginAnswer> {
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest()
  const bare = `n=${user},r=${randomBytes(18).toString('base64')}`
  const first = await authenticate(client, mechanism, `n,,${bare}`)
  if (first.error !== 'NONE') return first
  const server = first.bytes.toString()
  const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(server) ?? []
  const length = hash === 'sha256' ? 32 : 64
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), length, hash)
  const clientKey = hmac(salted, 'Client Key')
  const stored = createHash(hash).update(clientKey).digest()
  const withoutProof = `c=biws,r=${nonce}`
  const text = `${bare},${server},${withoutProof}`
  const signature = hmac(stored, text)
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))).toString('base64')
  const last = await authenticate(client, null, `${withoutProof},p=${proof}`)
  const expected = `v=${hmac(hmac(salted, 'Server Key'), text).toString('base64')}`
  if (last.error === 'NONE' && last.bytes.toString() !== expected)
    throw new Error('the server’s proof is wrong')
  return last
}

/** Resolves when the broker has closed the connection. */
export const ended = (client: KafkaClient | PulsarClient): Promise<void> =>
  new Promise((resolve) => {
    if (client.socket.closed) resolve()
    else client.socket.once('close', () => resolve())
  })
