import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { DriverError } from '../matrix/driver/errors.js'
import { errorName } from './requests.js'
import type { ConformanceWorld } from './world.js'

/* Logging in to a Kafka listener message by message, as no client library lets one. */

const CLOSED = 'CLOSED'

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

/** How a log-in ended: an error's name of the protocol; CLOSED where the target only closed the connection. */
export interface LoginAnswer {
  readonly error: string
  readonly message: string | null
}

export interface SaslAnswer extends LoginAnswer {
  readonly bytes: Buffer
}

export const plainMessage = (user: string, password: string): Buffer => Buffer.from(`\0${user}\0${password}`)

/** RFC 7628. @param chosen `tenant/namespace` to work in, as an extension (KIP-342) */
export function bearerMessage(token: string, chosen?: string): Buffer {
  const extension = chosen === undefined ? '' : `tenant=${chosen}\x01`
  return Buffer.from(`n,,\x01auth=Bearer ${token}\x01${extension}\x01`)
}

const BEARER_ACKNOWLEDGES = Buffer.from('\x01')

/** Opens a connection of this name, and sends one message. @param message null: only the mechanism is named */
export async function login(
  world: ConformanceWorld,
  connection: string,
  mechanism: string,
  message: Buffer | null,
): Promise<LoginAnswer> {
  const refused = await handshake(world, connection, mechanism)
  if (refused !== 'NONE' || message === null) return { error: refused, message: null }
  const answer = await authenticate(world, connection, message)
  // A wrong bearer token is answered by a challenge, which the client acknowledges to hear the refusal.
  if (mechanism !== 'OAUTHBEARER' || answer.error !== 'NONE' || answer.bytes.length === 0) return answer
  return authenticate(world, connection, BEARER_ACKNOWLEDGES)
}

/** Logs in as RFC 5802 says. @param spoil makes the last message wrong. @returns also whether the target has shown that it knows the password */
export async function loginScram(
  world: ConformanceWorld,
  connection: string,
  mechanism: ScramMechanism,
  user: string,
  password: string,
  spoil: (last: string) => string = (last) => last,
): Promise<LoginAnswer & { readonly serverIsProven: boolean }> {
  const refused = await handshake(world, connection, mechanism)
  if (refused !== 'NONE') return { error: refused, message: null, serverIsProven: false }
  const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${randomBytes(18).toString('hex')}`
  const first = await authenticate(world, connection, Buffer.from(`n,,${bare}`))
  if (first.error !== 'NONE') return { ...first, serverIsProven: false }
  const server = first.bytes.toString()
  const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(server) ?? []
  const { hash, bytes } = algorithmOf(mechanism)
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest()
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), bytes, hash)
  const clientKey = hmac(salted, 'Client Key')
  const withoutProof = `c=biws,r=${nonce}`
  const text = `${bare},${server},${withoutProof}`
  const signature = hmac(createHash(hash).update(clientKey).digest(), text)
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))).toString('base64')
  const last = await authenticate(world, connection, Buffer.from(spoil(`${withoutProof},p=${proof}`)))
  const expected = `v=${hmac(hmac(salted, 'Server Key'), text).toString('base64')}`
  return { ...last, serverIsProven: last.bytes.toString() === expected }
}

/** What a target stores of a password (KIP-554). */
export function saltedPassword(
  mechanism: ScramMechanism,
  password: string,
  salt: Buffer,
  iterations: number,
) {
  const { hash, bytes } = algorithmOf(mechanism)
  return pbkdf2Sync(password, salt, iterations, bytes, hash)
}

const algorithmOf = (mechanism: ScramMechanism) =>
  mechanism === 'SCRAM-SHA-256' ? { hash: 'sha256', bytes: 32 } : { hash: 'sha512', bytes: 64 }

/** Opens a connection of this name and names the mechanism. */
export async function handshake(
  world: ConformanceWorld,
  connection: string,
  mechanism: string,
): Promise<string> {
  const raw = await world.raw()
  const { kafkaSasl, kafka } = world.endpoints
  const address = kafkaSasl ?? kafka
  await raw.call('connect', { connection, port: 'kafka', ...(address !== undefined && { address }) })
  const answer = await exchange(world, connection, 'SaslHandshake', 1, { mechanism })
  return typeof answer === 'string' ? answer : errorName(world, Number(answer.errorCode))
}

/** One message of a log-in that the handshake has begun. */
export async function authenticate(
  world: ConformanceWorld,
  connection: string,
  message: Buffer,
): Promise<SaslAnswer> {
  const authBytes = message.toString('base64')
  const answer = await exchange(world, connection, 'SaslAuthenticate', 2, { authBytes })
  if (typeof answer === 'string') return { error: answer, message: null, bytes: Buffer.alloc(0) }
  const {
    errorCode,
    errorMessage,
    authBytes: bytes,
  } = answer as unknown as {
    errorCode: number
    errorMessage: string | null
    authBytes: string | null
  }
  const error = await errorName(world, errorCode)
  return { error, message: errorMessage, bytes: Buffer.from(bytes ?? '', 'base64') }
}

/** @returns CLOSED where the other side closed in place of an answer */
export async function exchange(
  world: ConformanceWorld,
  connection: string,
  api: string,
  version: number | undefined,
  body: Record<string, unknown>,
): Promise<Record<string, unknown> | typeof CLOSED> {
  const raw = await world.raw()
  const asked = { connection, existing: true, api, body, ...(version !== undefined && { version }) }
  try {
    return (await raw.call('request', asked)).body
  } catch (error) {
    if (error instanceof DriverError && error.name === CLOSED) return CLOSED
    throw error
  }
}
