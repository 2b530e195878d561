import { randomBytes } from 'node:crypto'
import type { RestAnswer } from '../matrix/rest.js'
import type { TargetSettings } from '../matrix/targets/types.js'
import type { KafkaSecurity, PulsarSecurity } from './addresses.js'
import { errorName } from './requests.js'
import { askAdmin } from './tenants-admin.js'
import {
  type LoginAnswer,
  login,
  loginScram,
  plainMessage,
  type ScramMechanism,
  saltedPassword,
} from './tenants-login.js'
import { secretsOf, signToken, useSecured } from './tenants-secured.js'
import { eventually, holds, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** A tenant of the scenario with one namespace, and the user who works there. */
export interface Tenant {
  readonly name: string
  /** `tenant/namespace`, and so the name of its user. */
  readonly namespace: string
  /** Of its token. */
  readonly role: string
  readonly password: string
  readonly token: string
  /** Of a role that administers the tenant. */
  readonly adminToken: string
}

export type Ordinal = 'first' | 'second'

const ITERATIONS = 4096
const LEARNT_WITHIN_MS = 10_000
const MECHANISM_NUMBERS = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 } as const

export function tenantsOf(world: ConformanceWorld): Map<Ordinal, Tenant> {
  return world.noted('tenants', () => new Map<Ordinal, Tenant>())
}

export function tenant(world: ConformanceWorld, which: Ordinal): Tenant {
  const found = tenantsOf(world).get(which)
  if (found === undefined) throw new Error(`no step before has made the ${which} tenant`)
  return found
}

/** What its user may do: administer the tenant, and so create topics; or only what is granted. */
export type Standing = 'administers' | 'uses'

export async function makeTenants(
  world: ConformanceWorld,
  which: readonly Ordinal[],
  standing: Standing,
  settings: TargetSettings = {},
) {
  await useSecured(world, settings)
  for (const each of which) tenantsOf(world).set(each, await makeTenant(world, standing))
}

async function makeTenant(world: ConformanceWorld, standing: Standing): Promise<Tenant> {
  const { key } = secretsOf(world)
  const name = `${world.parameters.runId}-${randomBytes(5).toString('hex')}`
  const namespace = `${name}/orders`
  const adminRole = `${name}-admin`
  const allowedClusters: unknown = JSON.parse((await asSuper(world, 'GET', '/admin/v2/clusters')).text)
  const role = standing === 'administers' ? namespace : `${name}-user`
  const adminRoles = standing === 'administers' ? [adminRole, namespace] : [adminRole]
  await asSuper(world, 'PUT', `/admin/v2/tenants/${name}`, { adminRoles, allowedClusters })
  await asSuper(world, 'PUT', `/admin/v2/namespaces/${namespace}`, {})
  const made = {
    name,
    namespace,
    role,
    password: newPassword(),
    token: await signToken(role, key),
    adminToken: await signToken(adminRole, key),
  }
  await setPassword(world, namespace, made.password)
  return made
}

/** Long enough that a part of it means nothing, and told apart by its ends. */
export const newPassword = (): string => `pass-${randomBytes(15).toString('base64url')}-word`

/** By the admin REST with the super user's token. @throws Mismatch when it is refused */
export async function asSuper(
  world: ConformanceWorld,
  method: string,
  path: string,
  body?: unknown,
): Promise<RestAnswer> {
  const { superToken: token } = secretsOf(world)
  const answer = await askAdmin(world.endpoints.admin, { method, path, token, body })
  holds(`${method} ${path} by a super user`, answer.status < 300, 'a status below 300', answer)
  return answer
}

/* ---- Users with passwords ----------------------------------------------------------------------------------------- */

/** Of both mechanisms (KIP-554). */
export async function setPassword(world: ConformanceWorld, user: string, password: string): Promise<void> {
  const mechanisms: readonly ScramMechanism[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512']
  const raw = await world.raw()
  for (const mechanism of mechanisms) {
    // Kafka takes one change a user and request.
    const upsertions = [scramUpsertion(user, mechanism, password)]
    const { body } = await raw.call('request', {
      connection: await superConnection(world),
      api: 'AlterUserScramCredentials',
      body: { deletions: [], upsertions },
    })
    const { results } = body as unknown as { results: { errorCode: number }[] }
    const error = await errorName(world, results[0]?.errorCode ?? -1)
    same(`the error of setting a password of ${user}`, 'NONE', error)
  }
  await awaitUser(world, user, password)
}

export function scramUpsertion(name: string, mechanism: ScramMechanism, password: string) {
  const salt = randomBytes(16)
  return {
    name,
    mechanism: MECHANISM_NUMBERS[mechanism],
    iterations: ITERATIONS,
    salt: salt.toString('base64'),
    saltedPassword: saltedPassword(mechanism, password, salt, ITERATIONS).toString('base64'),
  }
}

/** A cluster's brokers may learn of a new user a moment after it was acknowledged: of the last mechanism last. */
async function awaitUser(world: ConformanceWorld, user: string, password: string): Promise<void> {
  await eventually(LEARNT_WITHIN_MS, async () => {
    const { error } = await loginScram(world, 'awaits the user', 'SCRAM-SHA-512', user, password)
    same(`the log-in of the new user ${user}`, 'NONE', error)
  })
}

/** A connection that may do everything: logged in as the super user, where the target asks who comes. */
export async function superConnection(world: ConformanceWorld): Promise<string> {
  const connection = 'super'
  if (world.notes.has(connection)) return connection
  const raw = await world.raw()
  if (!world.hasInstance) await raw.call('connect', { connection, port: 'kafka' })
  else {
    const password = `token:${secretsOf(world).superToken}`
    const answer = await login(world, connection, 'PLAIN', plainMessage('root', password))
    same('the log-in of the super user', 'NONE', answer.error)
  }
  world.notes.set(connection, true)
  return connection
}

/* ---- Whom clients log in as --------------------------------------------------------------------------------------- */

export function kafkaSecurity(
  { namespace, password, token }: Tenant,
  mechanism: string,
  caPath?: string,
): KafkaSecurity {
  const tls = caPath === undefined ? {} : { caPath }
  if (mechanism === 'OAUTHBEARER')
    return { ...tls, sasl: { mechanism, token, extensions: { tenant: namespace } } }
  if (mechanism === 'PLAIN')
    return { ...tls, sasl: { mechanism, username: namespace, password: `token:${token}` } }
  if (mechanism === 'SCRAM-SHA-256' || mechanism === 'SCRAM-SHA-512')
    return { ...tls, sasl: { mechanism, username: namespace, password } }
  throw new Error(`no client logs in by ${mechanism}`)
}

/** The super user, to Kafka's tools. */
export function superKafkaSecurity(world: ConformanceWorld): KafkaSecurity {
  if (!world.hasInstance) return {}
  const password = `token:${secretsOf(world).superToken}`
  return { sasl: { mechanism: 'PLAIN', username: 'root', password } }
}

export const pulsarSecurity = ({ token }: Pick<Tenant, 'token'>, caPath?: string): PulsarSecurity => ({
  token,
  ...(caPath !== undefined && { caPath }),
})

/** A connection of single requests, by the tenant's token. @param namespace another's than its own */
export function loginAs(
  world: ConformanceWorld,
  connection: string,
  { token, namespace: own }: Tenant,
  namespace = own,
): Promise<LoginAnswer> {
  return login(world, connection, 'PLAIN', plainMessage(namespace, `token:${token}`))
}
