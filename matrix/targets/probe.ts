import { randomBytes } from 'node:crypto'
import { loadClients, provisionClient } from '../clients/index.js'
import { rawDriver, startDriver, type TypedDriver } from '../driver/process.js'
import type { RawOps } from '../driver/raw-messages.js'
import { askRest, type RestAnswer } from '../rest.js'
import { UsageError } from '../usage-error.js'
import type { Reached } from './endpoint-access.js'
import type { Profile, StartOptions } from './types.js'

/*
 * A look at a running system before a run: who answers, whether it takes what it is shown, and what it offers. What is
 * wrong with an address, a certificate or a credential is told once, here, and not by a hundred scenarios.
 */

/** APIs whose versions, or absence, say what kind of Kafka this is. */
const TELLING_APIS = ['Produce', 'Fetch', 'Metadata', 'JoinGroup', 'ConsumerGroupHeartbeat', 'InitProducerId']
const TIMEOUT_MS = 10_000

interface Place {
  /** What the user wrote it as. */
  readonly named: string
  readonly address: string
  readonly file: string | null
  readonly caPath?: string | undefined
}

/**
 * @returns the version that the system tells of itself; null: it tells none
 * @throws UsageError naming the option or field, its value and the remedy
 */
export async function probe(
  { endpoints, access, named }: Reached,
  profile: Profile,
  file: string | null,
  options: StartOptions,
): Promise<string | null> {
  const say = options.onProgress ?? (() => {})
  const { kafka, pulsar, admin } = endpoints
  const at = (address: string, name: string | undefined, caPath: string | undefined): Place => ({
    named: name ?? '',
    address,
    file,
    caPath,
  })
  const version =
    admin === undefined ? null : await probeAdmin(at(admin, named.admin, access.admin?.caPath), access, say)
  if (admin !== undefined) await probeRights(admin, access, profile, say)
  if (kafka !== undefined || pulsar !== undefined) {
    await withRaw(options, say, async (raw) => {
      await raw.call('configure', {
        kafka: kafka?.split(',')[0]?.trim(),
        pulsar: pulsar?.split(',')[0],
        security: { kafka: access.kafka ?? {}, pulsar: access.pulsar ?? {} },
      })
      if (kafka !== undefined) await probeKafka(raw, at(kafka, named.kafka, access.kafka?.caPath), say)
      if (pulsar !== undefined) await probePulsar(raw, at(pulsar, named.pulsar, access.pulsar?.caPath), say)
    })
  }
  say('powers: none: scenarios that restart, kill or configure the target are unsupported')
  return version
}

async function probeKafka(
  raw: TypedDriver<RawOps>,
  place: Place,
  say: (line: string) => void,
): Promise<void> {
  const { apis } = await raw.call('apiVersions', {}).catch((error: unknown) => {
    throw refusal(error, place, 'credentials.kafka')
  })
  const ranges = TELLING_APIS.map((name) => {
    const api = apis.find((each) => each.name === name)
    return api === undefined ? `no ${name}` : `${name} ${api.minVersion} to ${api.maxVersion}`
  })
  say(`Kafka at ${place.address}: ${apis.length} APIs; ${ranges.join(', ')}`)
}

async function probePulsar(
  raw: TypedDriver<RawOps>,
  place: Place,
  say: (line: string) => void,
): Promise<void> {
  const told = await raw.call('greetPulsar', {}).catch((error: unknown) => {
    throw refusal(error, place, 'credentials.pulsar')
  })
  say(`Pulsar at ${place.address}: ${told.serverVersion}, protocol ${told.protocolVersion}`)
}

type Access = Reached['access']

async function probeAdmin(place: Place, access: Access, say: (line: string) => void): Promise<string | null> {
  const credentials =
    access.admin?.token === access.pulsar?.token ? 'credentials.pulsar' : 'credentials.admin'
  const clusters = await ask(place.address, 'GET', '/clusters', access).catch((error: unknown) => {
    throw refusal(error, place, credentials)
  })
  if (clusters.status === 401) throw refused(place, credentials, `401 ${firstLine(clusters.text)}`)
  const answer = await ask(place.address, 'GET', '/brokers/version', access)
  const version = answer.status === 200 ? answer.text.trim() : null
  say(`admin at ${place.address}: ${version ?? `it does not tell its version (${answer.status})`}`)
  return version
}

/** Makes a tenant with a namespace, and deletes both; where it may not, a namespace in the tenant of short names. */
async function probeRights(
  admin: string,
  access: Access,
  profile: Profile,
  say: (line: string) => void,
): Promise<void> {
  const name = `kct-probe-${randomBytes(5).toString('hex')}`
  const declared = profile.answers['MT-1']
  const [usual = 'public'] = (typeof declared === 'string' ? declared : 'public/default').split('/')
  const clusters = await ask(admin, 'GET', '/clusters', access)
  const allowedClusters = clusters.status === 200 ? (JSON.parse(clusters.text) as string[]) : []
  const made: string[] = []
  const make = async (path: string, body: unknown): Promise<string> => {
    const { status, text } = await ask(admin, 'PUT', path, access, body)
    if (status >= 300) return `not (${status} ${firstLine(text)}): what needs them is unsupported`
    made.unshift(path)
    return 'allowed'
  }
  try {
    const tenants = await make(`/tenants/${name}`, { adminRoles: [], allowedClusters })
    const tenant = tenants === 'allowed' ? name : usual
    const namespaces = await make(`/namespaces/${tenant}/${name}`, {})
    say(`making tenants: ${tenants}; making namespaces: ${namespaces}`)
  } finally {
    for (const path of made) await ask(admin, 'DELETE', path, access).catch(() => {})
  }
}

function ask(
  admin: string,
  method: string,
  path: string,
  { admin: security = {} }: Access,
  body?: unknown,
): Promise<RestAnswer> {
  return askRest(admin, { method, path: `/admin/v2${path}`, body, timeoutMs: TIMEOUT_MS, ...security })
}

async function withRaw(
  { signal }: StartOptions,
  say: (line: string) => void,
  work: (raw: TypedDriver<RawOps>) => Promise<void>,
): Promise<void> {
  const spec = loadClients().find(({ kind }) => kind === 'raw')
  if (spec === undefined) return
  const client = await provisionClient(spec, spec.versions.at(-1) ?? '', {
    onProgress: say,
    ...(signal !== undefined && { signal }),
  })
  if (!('command' in client)) return say(`not looked at before the run: ${client.reason}; ${client.remedy}`)
  const driver = await startDriver(client)
  try {
    await work(rawDriver(driver))
  } finally {
    await driver.close()
  }
}

/** What went wrong, as the user's to mend. */
function refusal(error: unknown, place: Place, credentials: string): UsageError {
  const { name, message } = error as Error
  if (/SASL|Authenti|Authoriz/.test(name)) return refused(place, credentials, message)
  const { named, address } = place
  if (place.caPath !== undefined && /certificate|altnames|self.signed/i.test(message)) {
    return new UsageError(
      `tls.caFile ${place.caPath}: it does not vouch for ${address} (${firstLine(message)}); give the certificate of who signed the target's`,
    )
  }
  if (place.caPath !== undefined && /SSL|wrong version|disconnected before secure|ECONNRESET/.test(message)) {
    return new UsageError(
      `${named} ${address}: it does not speak TLS (${firstLine(message)}); name it by an address without Tls`,
    )
  }
  if (name === 'CLOSED' || name === 'TIMEOUT' || /^closed/.test(message)) {
    return new UsageError(
      `${named} ${address}: it does not take what clients say (${firstLine(message)}); is it one with TLS or a log-in? Name it so: kafkaTls, kafkaSasl, kafkaSaslTls or pulsarTls`,
    )
  }
  const [code = firstLine(message)] = /E[A-Z_]{4,}/.exec(message) ?? []
  return new UsageError(
    `${named} ${address}: nobody answers there (${code}); start the system or mend the address`,
  )
}

function refused({ address, file }: Place, credentials: string, why: string): UsageError {
  return new UsageError(
    `${credentials}: ${address} refuses them (${firstLine(why)}); mend them in ${file ?? 'a target.yaml, given by --profile'}`,
  )
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').slice(0, 160)
