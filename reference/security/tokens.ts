import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../base/clock.js'
import { type Denied, deny, type Role } from './types.js'

/** A key with the algorithms that it may verify: fixed by its kind, never by what a token says of itself. */
export interface TokenKey {
  readonly key: KeyObject
  readonly algorithms: readonly string[]
}

export interface VerifiedToken {
  readonly role: Role
  /** Milliseconds since the epoch; undefined: it never expires. */
  readonly expiresAtMs: number | undefined
}

/** HS256 takes no less (RFC 7518). */
const secretBytesMin = 32
/** Longer ones are no tokens, and are not looked into. */
const tokenCharactersMax = 64 * 1024

/** @throws Error whose message says what is wrong with the setting, and never what it holds. */
export function secretTokenKey(setting: string): TokenKey {
  const bytes = readKey(setting)
  if (bytes.length < secretBytesMin)
    throw new Error(`has ${bytes.length} bytes; expected at least ${secretBytesMin}`)
  return { key: createSecretKey(bytes), algorithms: ['HS256', 'HS384', 'HS512'] }
}

/** An RSA or EC public key, as DER (Pulsar's form) or PEM. @throws Error as `secretTokenKey` does. */
export function publicTokenKey(setting: string): TokenKey {
  const key = parsePublicKey(readKey(setting))
  if (key.asymmetricKeyType === 'rsa')
    return { key, algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] }
  if (key.asymmetricKeyType === 'ec') return { key, algorithms: ['ES256', 'ES384', 'ES512'] }
  throw new Error('is neither an RSA nor an EC key')
}

function parsePublicKey(bytes: Buffer): KeyObject {
  try {
    if (bytes.includes('-----BEGIN ')) return createPublicKey(bytes)
    return createPublicKey({ key: bytes, format: 'der', type: 'spki' })
  } catch {
    throw new Error('is no public key (DER SubjectPublicKeyInfo or PEM)')
  }
}

/** As Pulsar reads its keys: `data:;base64,…`, `file:///path`, a path, or base64 itself. */
function readKey(setting: string): Buffer {
  if (setting.startsWith('data:')) {
    const comma = setting.indexOf(',')
    if (!setting.slice(0, comma).endsWith(';base64')) throw new Error('is a data URL without ";base64,"')
    return base64(setting.slice(comma + 1))
  }
  if (setting.startsWith('file:')) return readKeyFile(pathOfUrl(setting))
  return existsSync(setting) ? readKeyFile(setting) : base64(setting)
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    throw new Error('is no file URL such as file:///path/to/key')
  }
}

function readKeyFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new Error(`names a file that cannot be read (${code})`)
  }
}

function base64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/_-]+={0,2}\s*$/.test(text)) throw new Error('is neither base64 nor a file that exists')
  return Buffer.from(text, 'base64')
}

/** Verifies JSON Web Tokens as Pulsar's token authentication does; the role is one claim, `sub` as a rule. */
export class TokenVerifier {
  readonly #keys: readonly TokenKey[]
  readonly #claim: string
  readonly #clock: Clock

  constructor(keys: readonly TokenKey[], claim: string, clock: Clock) {
    this.#keys = keys
    this.#claim = claim
    this.#clock = clock
  }

  /** Says why it refuses in words of its own: a library's error holds the token's claims. */
  async verify(token: string): Promise<VerifiedToken | Denied> {
    if (this.#keys.length === 0) return deny('This broker takes no tokens: no token key is configured')
    if (token === '' || token.length > tokenCharactersMax) return deny('The token is not a JSON Web Token')
    let reason = ''
    for (const key of this.#keys) {
      const verified = await this.#verifyWith(key, token)
      if (typeof verified === 'object') return this.#roleOf(verified)
      reason = reason === '' || verified === expired ? verified : reason
    }
    return deny(reason)
  }

  async #verifyWith({ key, algorithms }: TokenKey, token: string) {
    try {
      // Not before it is needed: half a hundred modules, which a broker without tokens starts without.
      const { jwtVerify } = await import('jose')
      const currentDate = new Date(this.#clock.nowMs())
      const { payload } = await jwtVerify(token, key, { algorithms: [...algorithms], currentDate })
      return payload
    } catch (error) {
      return reasonOf(error)
    }
  }

  #roleOf(payload: Readonly<Record<string, unknown>>): VerifiedToken | Denied {
    const claim = payload[this.#claim]
    const role = Array.isArray(claim) ? claim[0] : claim
    if (typeof role !== 'string' || role === '')
      return deny(`The token has no role in its claim ${this.#claim}`)
    const { exp } = payload
    return { role, expiresAtMs: typeof exp === 'number' ? exp * 1000 : undefined }
  }
}

const expired = 'The token has expired'

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ERR_JWT_EXPIRED') return expired
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') return 'The token is not valid at this time'
  if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' || code === 'ERR_JOSE_ALG_NOT_ALLOWED')
    return 'The token is not signed by the key of this broker'
  return 'The token is not a JSON Web Token'
}
