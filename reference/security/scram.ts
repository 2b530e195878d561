import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/*
 * The server's side of SCRAM, without its state: RFC 5802, and RFC 7677 for SHA-256; Kafka's use of it: KIP-84. Messages that
 * are not of the RFC's form are null. Left out: channel binding (Kafka's clients send "n"), authorization as somebody else.
 */

export const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type ScramMechanism = (typeof scramMechanisms)[number]

export const scramIterationsMin = 4096
/** Kafka's limit: what a stored user may make this broker compute. */
export const scramIterationsMax = 16_384

/** What is stored of a user: nothing of it lets anyone log in (RFC 5802, 2.2). */
export interface ScramCredential {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const hashOf = (mechanism: ScramMechanism) => (mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512')
export const hashBytes = (mechanism: ScramMechanism): number => (mechanism === 'SCRAM-SHA-256' ? 32 : 64)

const hmac = (mechanism: ScramMechanism, key: Buffer, text: string | Buffer): Buffer =>
  createHmac(hashOf(mechanism), key).update(text).digest()
const digest = (mechanism: ScramMechanism, bytes: Buffer): Buffer =>
  createHash(hashOf(mechanism)).update(bytes).digest()

/** What to store, from the salted password that AlterUserScramCredentials brings. */
export function credentialOf(
  mechanism: ScramMechanism,
  salt: Buffer,
  iterations: number,
  saltedPassword: Buffer,
): ScramCredential {
  return {
    salt: Buffer.from(salt),
    iterations,
    storedKey: digest(mechanism, hmac(mechanism, saltedPassword, 'Client Key')),
    serverKey: hmac(mechanism, saltedPassword, 'Server Key'),
  }
}

const derive = promisify(pbkdf2)

/** RFC 5802's Hi(), off this thread, for it is slow on purpose. As in Kafka, passwords are taken as they are, unprepared. */
export const saltedPasswordOf = (
  mechanism: ScramMechanism,
  password: string,
  salt: Buffer,
  iterations: number,
): Promise<Buffer> => derive(password, salt, iterations, hashBytes(mechanism), hashOf(mechanism))

/** Whether a password in the clear is the one stored (mechanism PLAIN). */
export async function isPassword(
  mechanism: ScramMechanism,
  credential: ScramCredential,
  password: string,
): Promise<boolean> {
  const { salt, iterations, storedKey } = credential
  const salted = await saltedPasswordOf(mechanism, password, salt, iterations)
  return timingSafeEqual(credentialOf(mechanism, salt, iterations, salted).storedKey, storedKey)
}

export interface ClientFirst {
  readonly user: string
  readonly authorizationId: string
  readonly nonce: string
  readonly gs2Header: string
  readonly bare: string
}

const printable = /^[\x21-\x2b\x2d-\x7e]+$/

/** `n,,n=user,r=nonce`: channel binding is refused, extensions are passed over. */
export function parseClientFirst(message: Buffer): ClientFirst | null {
  const [whole = '', gs2Header, authorization = '', bare, name = '', nonce = ''] =
    /^([ny],((?:a=[^,]+)?),)(n=([^,]*),r=([^,]*)(?:,[a-zA-Z]=[^,]*)*)$/.exec(textOf(message) ?? '') ?? []
  if (whole === '' || gs2Header === undefined || bare === undefined) return null
  const user = unescapeName(name)
  const authorizationId = unescapeName(authorization.slice(2))
  if (user === null || user === '' || authorizationId === null || !printable.test(nonce)) return null
  return { user, authorizationId, nonce, gs2Header, bare }
}

/** Any other `=` than these two is no name (RFC 5802, 5.1). */
function unescapeName(name: string): string | null {
  if (/=(?!2C|3D)/.test(name)) return null
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

export const serverFirst = (nonce: string, { salt, iterations }: ScramCredential): string =>
  `r=${nonce},s=${salt.toString('base64')},i=${iterations}`

/**
 * Checks the client's proof.
 * @param nonce the client's and the server's, as `serverFirst` told it.
 * @returns the server's final message; null when the message or the proof is wrong.
 */
export function verifyClientFinal(
  mechanism: ScramMechanism,
  credential: ScramCredential,
  first: ClientFirst,
  nonce: string,
  message: Buffer,
): string | null {
  const [, withoutProof, binding = '', echoed, proofText = ''] =
    /^(c=([^,]*),r=([^,]*)(?:,[a-zA-Z]=[^,]*)*),p=([^,]*)$/.exec(textOf(message) ?? '') ?? []
  if (withoutProof === undefined || echoed !== nonce) return null
  if (binding !== Buffer.from(first.gs2Header).toString('base64')) return null
  const proof = strictBase64(proofText)
  if (proof === null || proof.length !== hashBytes(mechanism)) return null
  const authMessage = `${first.bare},${serverFirst(nonce, credential)},${withoutProof}`
  const signature = hmac(mechanism, credential.storedKey, authMessage)
  const clientKey = Buffer.alloc(proof.length)
  for (let at = 0; at < proof.length; at++) clientKey[at] = (proof[at] ?? 0) ^ (signature[at] ?? 0)
  if (!timingSafeEqual(digest(mechanism, clientKey), credential.storedKey)) return null
  return `v=${hmac(mechanism, credential.serverKey, authMessage).toString('base64')}`
}

/** Node takes any text for base64; only what it would write itself is. */
function strictBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}

/** null for what is no UTF-8. */
export function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}
