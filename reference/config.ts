import { readFileSync } from 'node:fs'
import { parse as parseProperties } from 'dot-properties'
import { z } from 'zod'
import { isSaslMechanism, saslMechanisms } from './security/sasl.js'

/** A setting was wrong. The message is one line that names the setting, its value and the remedy. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^-?\d+$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
const decimal = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'expected a number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
const port = whole(0, 65_535)
/** A timer that is set for longer runs at once. */
const timerMsMax = 2 ** 31 - 1
const nameRule = /^[-=:.\w]+$/

/** A Kafka listener, `PLAINTEXT://127.0.0.1:9092`. */
export interface ListenerAddress {
  readonly name: string
  readonly host: string
  readonly port: number
}

const listeners = z.string().transform((text, context): ListenerAddress[] =>
  text.split(',').map((part) => {
    const [, name, host, digits] = /^([A-Z][A-Z0-9_]*):\/\/(.+):(\d{1,5})$/.exec(part.trim()) ?? []
    if (name === undefined || host === undefined || Number(digits) > 65_535) {
      context.addIssue('expected NAME://host:port, such as PLAINTEXT://127.0.0.1:9092')
      return z.NEVER
    }
    return { name, host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(digits) }
  }),
)

export const listenerProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
export type ListenerProtocol = (typeof listenerProtocols)[number]
const isListenerProtocol = (name: string | undefined): name is ListenerProtocol =>
  listenerProtocols.some((known) => known === name)

const splitList = (text: string): readonly string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const list = z.string().transform(splitList)

const protocolMap = z.string().transform((text, context) => {
  const protocols = new Map<string, ListenerProtocol>()
  for (const pair of splitList(text)) {
    const [name = '', protocol, ...rest] = pair.split(':')
    if (!isListenerProtocol(protocol) || rest.length > 0) {
      context.addIssue(`expected NAME:PROTOCOL by commas, PROTOCOL one of ${listenerProtocols.join(', ')}`)
      return z.NEVER
    }
    protocols.set(name, protocol)
  }
  return protocols
})

const mechanisms = z.string().transform((text, context) => {
  const named = splitList(text)
  const known = named.filter(isSaslMechanism)
  if (known.length === named.length && known.length > 0) return known
  context.addIssue(`expected some of ${saslMechanisms.join(', ')}, by commas`)
  return z.NEVER
})

/**
 * Every setting of the broker: its default, what it may be, what it means. Names are those of KoP or of Pulsar's
 * `broker.conf` where they have the setting. Files, environment and flags all give text.
 */
const settings = {
  bindAddress: z.string().min(1).default('127.0.0.1').describe('address of the Pulsar and the web listener'),
  advertisedAddress: z
    .string()
    .min(1)
    .optional()
    .describe('host that Pulsar clients are told to connect to; bindAddress when absent'),
  kafkaListeners: listeners
    .default([{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }])
    .describe('NAME://host:port, several by commas: where Kafka clients are served; port 0: any free one'),
  kafkaAdvertisedListeners: listeners
    .default([])
    .describe('NAME://host:port: the address that clients of the listener of that name are told'),
  brokerServicePort: port.default(6650).describe('port of the Pulsar binary protocol; 0: any free one'),
  webServicePort: port.default(8080).describe('port of admin REST, metrics and health; 0: any free one'),
  brokerId: whole(0, 2 ** 31 - 1)
    .default(0)
    .describe('node id in Kafka metadata'),
  clusterName: z
    .string()
    .regex(nameRule)
    .default('standalone')
    .describe('Pulsar cluster and Kafka cluster id'),

  dataDirectory: z.string().min(1).default('data').describe('where ledgers, cursors and metadata are stored'),
  journalSyncData: flag
    .default(true)
    .describe('true: synced to disk before acknowledged; false: left to the OS'),
  managedLedgerMaxEntriesPerLedger: whole(1)
    .default(50_000)
    .describe('a ledger rolls over after so many entries'),
  managedLedgerMaxSizePerLedgerMbytes: whole(1).default(2_048).describe('a ledger rolls over at this size'),

  kafkaTenant: z.string().regex(nameRule).default('public').describe('tenant of short Kafka topic names'),
  kafkaNamespace: z
    .string()
    .regex(/^[-=:.\w]+(\/[-=:.\w]+)?$/)
    .default('default')
    .describe('namespace of short Kafka topic names; `tenant/namespace` sets both'),
  entryFormat: z
    .enum(['pulsar', 'kafka'])
    .default('pulsar')
    .describe('pulsar: convert when produced; kafka: store batches as they came, convert when Pulsar reads'),
  offsetMapping: z
    .enum(['index', 'packed', 'wrapper'])
    .default('index')
    .describe('how offsets follow from message ids'),

  allowAutoTopicCreation: flag.default(true).describe('unknown topics are created when clients ask for them'),
  defaultNumPartitions: whole(1, 10_000)
    .default(1)
    .describe('partitions of topics that Kafka creates unasked'),
  allowAutoTopicCreationType: z
    .enum(['partitioned', 'non-partitioned'])
    .default('non-partitioned')
    .describe('form of topics that Pulsar creates unasked'),
  maxMessageSize: whole(1_024, 1_073_741_824)
    .default(5_242_880)
    .describe('bytes of the largest batch or message accepted'),
  maxFrameSize: whole(65_536, 2_147_483_647)
    .default(104_857_600)
    .describe('bytes of the largest Kafka request (socket.request.max.bytes)'),
  kafkaTailCacheSizeMb: whole(0, 65_536)
    .default(16)
    .describe('newest Kafka batches kept in memory, as produced, for consumers at the end; 0: none'),
  connectionMaxIdleMs: whole(100, timerMsMax)
    .default(600_000)
    .describe('idle Kafka connections are closed after this'),
  keepAliveIntervalSeconds: whole(1, Math.floor(timerMsMax / 1000))
    .default(30)
    .describe('Pulsar connections are pinged after this'),
  kafkaMetadataTenant: z
    .string()
    .regex(nameRule)
    .default('public')
    .describe('tenant of the topic that keeps groups and their offsets'),
  kafkaMetadataNamespace: z.string().regex(nameRule).default('kafka').describe('its namespace'),
  offsetsTopicName: z
    .string()
    .min(1)
    .default('__offsets')
    .describe('its name, short or full: `persistent://tenant/namespace/topic`'),
  offsetsTopicNumPartitions: whole(1, 10_000)
    .default(4)
    .describe('its partitions when it is made; it keeps them'),
  offsetMetadataMaxSize: whole(0, 32_767)
    .default(4_096)
    .describe('bytes of the text that a commit may carry'),
  groupInitialRebalanceDelayMs: whole(0, timerMsMax)
    .default(0)
    .describe('how long a new group waits for more members'),
  groupMinSessionTimeoutMs: whole(1, timerMsMax)
    .default(1_000)
    .describe('shortest session time-out that a member may ask for'),
  groupMaxSessionTimeoutMs: whole(1, timerMsMax)
    .default(1_800_000)
    .describe('longest session time-out that a member may ask for'),
  groupMaxSize: whole(1, 100_000).default(10_000).describe('members of a group at most'),
  consumerGroupHeartbeatIntervalMs: whole(1, timerMsMax)
    .default(5_000)
    .describe('how often members of the consumer protocol are to send heartbeats'),
  consumerGroupSessionTimeoutMs: whole(1, timerMsMax)
    .default(45_000)
    .describe('members of the consumer protocol that are not heard of for so long are put out'),

  offsetsRetentionMinutes: decimal(0.0001, timerMsMax)
    .default(7 * 24 * 60)
    .describe('commits of a group without members are dropped after so many minutes; 0.05: 3 seconds'),
  offsetsRetentionCheckIntervalMs: whole(10, timerMsMax)
    .default(600_000)
    .describe('how often old commits are looked for'),

  authenticationEnabled: flag
    .default(false)
    .describe('clients of all ports must show who they are: tokens, or on Kafka listeners passwords too'),
  authorizationEnabled: flag
    .default(false)
    .describe('roles may do what Pulsar permissions grant them; false: whoever is let in may do all'),
  superUserRoles: list.default([]).describe('roles that may do everything, by commas'),
  tokenSecretKey: z
    .string()
    .min(1)
    .optional()
    .describe('secret that signs JSON Web Tokens (HS256 to HS512): data:;base64,…, file:///path or a path'),
  tokenPublicKey: z
    .string()
    .min(1)
    .optional()
    .describe(
      'public RSA or EC key that verifies tokens, DER or PEM: data:;base64,…, file:///path or a path',
    ),
  tokenAuthClaim: z.string().min(1).default('sub').describe('claim of a token that holds the role'),
  authenticationRefreshCheckSeconds: whole(1, Math.floor(timerMsMax / 1000))
    .default(60)
    .describe('how long a Pulsar client may take to bring a new token when its old one has expired'),
  authenticateMetricsEndpoint: flag.default(false).describe('/metrics too wants a token'),
  saslAllowedMechanisms: mechanisms
    .default([...saslMechanisms])
    .describe('SASL mechanisms of Kafka listeners, by commas'),
  connectionsMaxReauthMs: whole(0, timerMsMax)
    .default(0)
    .describe('SASL sessions must be renewed after this (KIP-368); 0: when their token expires'),
  connectionFailedAuthenticationDelayMs: whole(0, timerMsMax)
    .default(100)
    .describe('a Kafka client whose log-in failed is told so after this (KIP-306)'),
  kafkaProtocolMap: protocolMap
    .default(new Map())
    .describe(
      'NAME:PROTOCOL by commas, for listeners whose name is not itself PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL',
    ),
  brokerServicePortTls: port
    .optional()
    .describe('port of the Pulsar binary protocol over TLS; 0: any free one'),
  webServicePortTls: port.optional().describe('port of admin REST over HTTPS; 0: any free one'),
  tlsCertificateFilePath: z
    .string()
    .min(1)
    .optional()
    .describe('PEM certificate, with its chain, of all TLS ports'),
  tlsKeyFilePath: z.string().min(1).optional().describe('PEM private key of the certificate'),
  tlsTrustCertsFilePath: z
    .string()
    .min(1)
    .optional()
    .describe('PEM certificates of who signs clients’ certificates; absent: clients’ are not asked for'),
  tlsRequireTrustedClientCertOnConnect: flag
    .default(false)
    .describe('TLS clients without a trusted certificate are refused'),
  retentionCheckIntervalInSeconds: whole(1, Math.floor(timerMsMax / 1000))
    .default(120)
    .describe('how often retention, time to live and backlog quotas are enforced'),
  logCleanerBackoffMs: whole(10, timerMsMax)
    .default(15_000)
    .describe('how often is looked for topics that compaction is due for'),
  topicCompactionRetainNullKey: flag.default(false).describe('compaction keeps messages without a key'),
  kafkaOffsetsSyncPeriodMs: whole(2, timerMsMax)
    .default(1_000)
    .describe('within this time a commit is seen on the cursor of the group, its subscription'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('structured logs, JSON lines on standard error'),
} as const

const schema = z.strictObject(settings)
export type Config = z.output<typeof schema>
export const settingNames = Object.keys(settings) as (keyof Config)[]
/** Settings whose values are never told. */
const secretSettings: ReadonlySet<string> = new Set(['tokenSecretKey', 'tokenPublicKey'])

/** What a setting means, and its default, for `--help`. */
export function describeSetting(name: keyof Config): { description: string; fallback: string | undefined } {
  const setting = settings[name]
  const fallback = setting instanceof z.ZodDefault ? defaultText(setting.def.defaultValue) : undefined
  return { description: setting.description ?? '', fallback }
}

function defaultText(value: unknown): string {
  if (value instanceof Map) return [...value].map(([name, each]) => `${name}:${each}`).join(',')
  if (!Array.isArray(value)) return String(value)
  return value
    .map((each) => (typeof each === 'string' ? each : `${each.name}://${each.host}:${each.port}`))
    .join(',')
}

/**
 * Checks settings given as text. `listeners` is KoP's older name of `kafkaListeners`.
 * @throws ConfigError on the first that is unknown or wrong.
 */
export function parseConfig(given: Readonly<Record<string, string>>): Config {
  const { listeners: oldName, ...others } = given
  const parsed = schema.safeParse(oldName === undefined ? others : { kafkaListeners: oldName, ...others })
  if (parsed.success) return withSplitNamespace(consistent(parsed.data))
  const issue = parsed.error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys[0] ?? ''
    throw new ConfigError(`${unknown}: no such setting; \`kop-conformance reference --help\` lists them`)
  }
  const name = String(issue?.path[0])
  const value = name === 'kafkaListeners' ? (given[name] ?? oldName) : given[name]
  const shown = secretSettings.has(name) ? name : `${name}=${value}`
  throw new ConfigError(
    `${shown}: ${lowerFirst(issue?.message ?? 'not valid').replace('invalid option: ', '')}`,
  )
}

/** @throws ConfigError where settings that are right by themselves contradict one another. */
function consistent(config: Config): Config {
  const names = config.kafkaListeners.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined)
    throw new ConfigError(`kafkaListeners: ${twice} is named twice; give each listener a name of its own`)
  const stranger = config.kafkaAdvertisedListeners.find(({ name }) => !names.includes(name))
  if (stranger !== undefined)
    throw new ConfigError(
      `kafkaAdvertisedListeners: no listener is called ${stranger.name}; kafkaListeners has ${names.join(', ')}`,
    )
  const contradiction = securityContradiction(config)
  if (contradiction !== undefined) throw new ConfigError(contradiction)
  return config
}

/** What a listener speaks: by its name, or by `kafkaProtocolMap`; a name of one's own without an entry is PLAINTEXT. */
export function protocolOf(config: Config, listener: string): ListenerProtocol {
  const mapped = config.kafkaProtocolMap.get(listener)
  return mapped ?? (isListenerProtocol(listener) ? listener : 'PLAINTEXT')
}

export const isTlsProtocol = (protocol: ListenerProtocol): boolean => protocol.endsWith('SSL')
export const isSaslProtocol = (protocol: ListenerProtocol): boolean => protocol.startsWith('SASL_')

function securityContradiction(config: Config): string | undefined {
  const unmapped = [...config.kafkaProtocolMap.keys()].find(
    (name) => !config.kafkaListeners.some((listener) => listener.name === name),
  )
  if (unmapped !== undefined)
    return `kafkaProtocolMap: no listener is called ${unmapped}; add it to kafkaListeners, or take it out`
  if (config.authorizationEnabled && !config.authenticationEnabled)
    return 'authorizationEnabled=true: without authenticationEnabled=true nobody has a role; set both'
  if (config.authenticationEnabled) {
    if (config.tokenSecretKey === undefined && config.tokenPublicKey === undefined)
      return 'authenticationEnabled=true: set tokenSecretKey or tokenPublicKey, or no token can be verified'
    const open = config.kafkaListeners.find(({ name }) => !isSaslProtocol(protocolOf(config, name)))
    if (open !== undefined)
      return `authenticationEnabled=true: listener ${open.name} asks for no credentials; make it SASL_PLAINTEXT or SASL_SSL, by its name or kafkaProtocolMap`
  }
  return tlsContradiction(config)
}

function tlsContradiction(config: Config): string | undefined {
  const { tlsCertificateFilePath, tlsKeyFilePath } = config
  if ((tlsCertificateFilePath === undefined) !== (tlsKeyFilePath === undefined))
    return 'tlsCertificateFilePath and tlsKeyFilePath belong together: set both, or neither'
  if (config.tlsRequireTrustedClientCertOnConnect && config.tlsTrustCertsFilePath === undefined)
    return 'tlsRequireTrustedClientCertOnConnect=true: set tlsTrustCertsFilePath, or no certificate is trusted'
  if (tlsCertificateFilePath !== undefined) return undefined
  const listener = config.kafkaListeners.find(({ name }) => isTlsProtocol(protocolOf(config, name)))
  const wants =
    (listener && `kafkaListeners: ${listener.name}`) ??
    (config.brokerServicePortTls === undefined ? undefined : 'brokerServicePortTls') ??
    (config.webServicePortTls === undefined ? undefined : 'webServicePortTls')
  return wants && `${wants}: TLS needs tlsCertificateFilePath and tlsKeyFilePath`
}

/** KoP's `kafkaNamespace=tenant/namespace` form names the tenant as well. */
function withSplitNamespace(config: Config): Config {
  const [first, second] = config.kafkaNamespace.split('/')
  return second === undefined || first === undefined
    ? config
    : { ...config, kafkaTenant: first, kafkaNamespace: second }
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)

/**
 * The settings of a Java properties file.
 * @throws ConfigError when it cannot be read.
 */
export function readConfigFile(path: string): Record<string, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new ConfigError(`--config ${path}: cannot be read (${code}); give the path of a properties file`)
  }
  return Object.fromEntries(Object.entries(parseProperties(text)).map(([key, value]) => [key, String(value)]))
}

const environmentPrefix = 'KOP_'

/** The variable of a setting: `entryFormat` is `KOP_ENTRY_FORMAT`. */
export const environmentName = (setting: string): string =>
  environmentPrefix + setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

/** Settings found in environment variables. */
export function readEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of settingNames) {
    const value = environment[environmentName(name)]
    if (value !== undefined) found[name] = value
  }
  return found
}
