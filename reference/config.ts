import { readFileSync } from 'node:fs'
import { parse as parseProperties } from 'dot-properties'
import { z } from 'zod'

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
  groupInitialRebalanceDelayMs: whole(0, timerMsMax)
    .default(0)
    .describe('how long a new group waits for more members'),
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('structured logs, JSON lines on standard error'),
} as const

const schema = z.strictObject(settings)
export type Config = z.output<typeof schema>
export const settingNames = Object.keys(settings) as (keyof Config)[]

/** What a setting means, and its default, for `--help`. */
export function describeSetting(name: keyof Config): { description: string; fallback: string | undefined } {
  const setting = settings[name]
  const fallback = setting instanceof z.ZodDefault ? defaultText(setting.def.defaultValue) : undefined
  return { description: setting.description ?? '', fallback }
}

const defaultText = (value: unknown) =>
  Array.isArray(value)
    ? value.map((listener) => `${listener.name}://${listener.host}:${listener.port}`).join(',')
    : String(value)

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
  throw new ConfigError(
    `${name}=${value}: ${lowerFirst(issue?.message ?? 'not valid').replace('invalid option: ', '')}`,
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
  return config
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
