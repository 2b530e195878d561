import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../usage-error.js'

/*
 * `target.yaml`: all that the suite must know of a system that it did not write. profiles/README.md tells what it says,
 * target.schema.json what it may say; a test holds the schema and this file together.
 */

const text = z.string().min(1)
const hostAndPort = z
  .string()
  .regex(/^[^\s,/]+:\d{1,5}(\s*,\s*[^\s,/]+:\d{1,5})*$/, 'give host:port, such as broker:9092')
const url = (pattern: RegExp, example: string) => z.string().regex(pattern, `give a URL, such as ${example}`)

const addresses = z
  .strictObject({
    kafka: hostAndPort.describe('Kafka in the clear, without a log-in').optional(),
    kafkaSasl: hostAndPort.describe('Kafka in the clear, with a log-in').optional(),
    kafkaTls: hostAndPort.describe('Kafka over TLS, without a log-in').optional(),
    kafkaSaslTls: hostAndPort.describe('Kafka over TLS, with a log-in').optional(),
    pulsar: url(/^pulsar:\/\/[^\s/]+:\d{1,5}$/, 'pulsar://broker:6650').optional(),
    pulsarTls: url(/^pulsar\+ssl:\/\/[^\s/]+:\d{1,5}$/, 'pulsar+ssl://broker:6651').optional(),
    admin: url(/^http:\/\/[^\s/]+\/?$/, 'http://broker:8080')
      .describe("Pulsar's admin REST")
      .optional(),
    adminTls: url(/^https:\/\/[^\s/]+\/?$/, 'https://broker:8443').optional(),
  })
  .describe('Where a running system is')

const sasl = z.discriminatedUnion('mechanism', [
  z.strictObject({
    mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']),
    username: text,
    password: text,
  }),
  z.strictObject({
    mechanism: z.literal('OAUTHBEARER'),
    token: text,
    extensions: z.record(z.string(), z.string()).default({}).describe('SASL extensions (KIP-342)'),
  }),
])
const token = z.strictObject({ token: text })

const portName = z.enum([
  'kafka',
  'kafkaSasl',
  'kafkaTls',
  'kafkaSaslTls',
  'pulsar',
  'pulsarTls',
  'admin',
  'adminTls',
])

const container = z
  .strictObject({
    image: text,
    ports: z
      .partialRecord(portName, z.int().min(0).max(65_535))
      .refine((ports) => Object.keys(ports).length > 0, 'name at least one port')
      .describe(
        'Ports inside of the container; free ones of 127.0.0.1 lead to them, and {port.kafka} stands for such a one. 0: the same as outside',
      ),
    command: z.array(z.string()).describe('In place of the image’s own').optional(),
    entrypoint: z.array(z.string()).optional(),
    environment: z.record(z.string(), z.string()).default({}),
    files: z
      .record(z.string().startsWith('/', 'give a path inside of the container'), z.string())
      .default({})
      .describe('Path inside of the container to the text of the file'),
    user: text.optional(),
    ready: z
      .discriminatedUnion('by', [
        z.strictObject({ by: z.literal('log'), line: text.describe('A regular expression') }),
        z.strictObject({
          by: z.literal('http'),
          path: z.string().startsWith('/'),
          contains: z.string().default(''),
        }),
        z.strictObject({ by: z.literal('kafka') }),
      ])
      .describe('How it is seen that it serves')
      .default({ by: 'kafka' }),
    readyWithinSeconds: z.number().positive().default(120),
    keepsDataOverRestart: z
      .boolean()
      .default(false)
      .describe('Scenarios may stop, kill and start it again: its data are where a restart finds them'),
    version: text.describe('For the report; absent: the image’s tag').optional(),
  })
  .describe('An image that the run starts: --target container')

const targetYaml = z.strictObject({
  name: text,
  description: z.string().default(''),
  addresses: addresses.optional(),
  tls: z
    .strictObject({ caFile: text.describe('PEM, of who signed its certificates; relative to this file') })
    .optional(),
  credentials: z
    .strictObject({
      kafka: sasl.optional(),
      pulsar: token.optional(),
      admin: token.describe("Absent: Pulsar's").optional(),
    })
    .default({})
    .describe(
      'What clients show. What is in an environment variable may be named, as profiles/README.md tells',
    ),
  answers: z.record(z.string(), z.unknown()).default({}).describe('By requirement'),
  declines: z.record(z.string(), text).default({}).describe('Requirement to reason'),
  knownFailing: text.describe('A list of known failures, relative to this file').optional(),
  container: container.optional(),
})

export type TargetYaml = z.output<typeof targetYaml>
export type ContainerYaml = z.output<typeof container>

/** @throws UsageError of one line that names the file, the field and what is wrong */
export function readTargetYaml(file: string, environment: NodeJS.ProcessEnv = process.env): TargetYaml {
  const read = targetYaml.safeParse(withVariables(parseYaml(file), file, environment))
  if (!read.success) {
    const issue = read.error.issues[0]
    throw new UsageError(`${file}: ${issue?.path.join('.') || 'profile'}: ${issue?.message ?? 'invalid'}`)
  }
  const near = (path: string) => resolve(dirname(file), path)
  const { tls, knownFailing } = read.data
  if (tls !== undefined && !existsSync(near(tls.caFile))) {
    throw new UsageError(`${file}: tls.caFile: there is no file ${near(tls.caFile)}`)
  }
  return {
    ...read.data,
    ...(tls !== undefined && { tls: { caFile: near(tls.caFile) } }),
    ...(knownFailing !== undefined && { knownFailing: near(knownFailing) }),
  }
}

/** `${NAME}` in any text stands for the environment variable. */
function withVariables(value: unknown, file: string, environment: NodeJS.ProcessEnv, path = ''): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const found = environment[name]
      if (found !== undefined) return found
      throw new UsageError(`${file}: ${path}: the environment variable ${name} is not set`)
    })
  }
  if (Array.isArray(value))
    return value.map((each, at) => withVariables(each, file, environment, `${path}.${at}`))
  if (typeof value !== 'object' || value === null) return value
  const under = (key: string) => (path === '' ? key : `${path}.${key}`)
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withVariables(each, file, environment, under(key))]),
  )
}

export function parseYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new UsageError(`${file}: cannot be read as YAML: ${reason}`)
  }
}

export const targetJsonSchema = (): unknown => ({
  $id: 'kop-conformance/target-1',
  title: 'target.yaml of kop-conformance',
  ...z.toJSONSchema(targetYaml, { io: 'input', target: 'draft-2020-12' }),
})
