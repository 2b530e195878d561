import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT, UnsecuredJWT } from 'jose'
import { generate } from 'selfsigned'
import { Unsupported } from '../matrix/driver/errors.js'
import type { TargetSettings } from '../matrix/targets/types.js'
import { sharedInstance } from './instances.js'
import type { ConformanceWorld } from './world.js'

/** What a target with its security on is started with, and what the suite shows it: made anew by each worker. */
export interface Secrets {
  readonly settings: TargetSettings
  /** PEM file: the target's certificate, which vouches for itself. */
  readonly caPath: string
  readonly caPem: string
  /** Signs the tokens that the target takes. */
  readonly key: Buffer
  /** The super user's token, `sub: root`. */
  readonly superToken: string
}

const SUPER_ROLE = 'root'
let made: Promise<Secrets> | undefined

export function secretsOfWorker(): Promise<Secrets> {
  made ??= makeSecrets()
  return made
}

async function makeSecrets(): Promise<Secrets> {
  const folder = mkdtempSync(join(tmpdir(), 'kop-conformance-secrets-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const altNames = [
    { type: 2 as const, value: 'localhost' },
    { type: 7 as const, ip: '127.0.0.1' },
  ]
  const { cert, private: privateKey } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [{ name: 'subjectAltName', altNames }],
  })
  const caPath = join(folder, 'certificate.pem')
  const keyPath = join(folder, 'key.pem')
  writeFileSync(caPath, cert)
  writeFileSync(keyPath, privateKey, { mode: 0o600 })
  const key = randomBytes(32)
  const settings = {
    kafkaListeners: 'SASL_PLAINTEXT://127.0.0.1:0,SASL_SSL://127.0.0.1:0',
    brokerServicePortTls: '0',
    webServicePortTls: '0',
    tlsCertificateFilePath: caPath,
    tlsKeyFilePath: keyPath,
    authenticationEnabled: 'true',
    authorizationEnabled: 'true',
    superUserRoles: SUPER_ROLE,
    tokenSecretKey: `data:;base64,${key.toString('base64')}`,
  }
  return { settings, caPath, caPem: cert, key, superToken: await signToken(SUPER_ROLE, key) }
}

/** From here on the scenario talks to an instance that asks everybody who they are. Shared by scenarios of the worker. */
export async function useSecured(world: ConformanceWorld, more: TargetSettings = {}): Promise<Secrets> {
  const made = await secretsOfWorker()
  const secrets = { ...made, settings: { ...made.settings, ...more } }
  const target = await sharedInstance(world.parameters.target.kind, secrets.settings)
  world.useInstance(target, secrets.settings)
  world.notes.set('secrets', secrets)
  return secrets
}

export const secretsOf = (world: ConformanceWorld): Secrets => world.note<Secrets>('secrets')

/**
 * A target that has users with passwords: as it is, where the run's own target has a listener that asks for them; else an
 * instance with its security on.
 * @throws Unsupported where the run can have neither
 */
export async function usePasswords(world: ConformanceWorld): Promise<void> {
  const { endpoints, powers, kind } = world.parameters.target
  if (endpoints.kafkaSasl !== undefined) return
  if (!powers.includes('configure')) throw new Unsupported(`the target ${kind} asks nobody for a password`)
  await useSecured(world)
}

/* ---- Tokens ----------------------------------------------------------------------------------------------------- */

export interface TokenOptions {
  /** Seconds from now; negative: it has expired. Absent: never. */
  readonly expiresInSeconds?: number
}

/** A JSON web token of a role, as any tool makes it. */
export function signToken(
  role: string,
  key: Buffer,
  { expiresInSeconds }: TokenOptions = {},
): Promise<string> {
  const token = new SignJWT({ sub: role }).setProtectedHeader({ alg: 'HS256' })
  const seconds = Math.floor(Date.now() / 1000)
  if (expiresInSeconds !== undefined) token.setExpirationTime(seconds + expiresInSeconds)
  return token.sign(createSecretKey(key))
}

/** Ways in which a token of the right role is wrong. */
export const wrongTokens: Readonly<Record<string, (role: string, key: Buffer) => Promise<string>>> = {
  'that has expired': (role, key) => signToken(role, key, { expiresInSeconds: -10 }),
  'signed by another key': (role) => signToken(role, randomBytes(32)),
  'without a signature': async (role) => new UnsecuredJWT({ sub: role }).encode(),
  'with its signature cut off': async (role, key) => {
    const [header, payload] = (await signToken(role, key)).split('.')
    return `${header}.${payload}.`
  },
  'of another role under its old signature': async (role, key) => {
    const [header, , signature] = (await signToken(role, key)).split('.')
    const claims = Buffer.from(JSON.stringify({ sub: SUPER_ROLE })).toString('base64url')
    return `${header}.${claims}.${signature}`
  },
  'with more behind it': async (role, key) => `${await signToken(role, key)}AAAA`,
  'that is no token': async () => 'not-a-token-at-all',
}

export function wrongToken(how: string, role: string, key: Buffer): Promise<string> {
  const make = wrongTokens[how]
  if (make === undefined) throw new Error(`no way to make a token ${how}`)
  return make(role, key)
}
