import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import { generate } from 'selfsigned'
import { askRest } from '../rest.js'
import { packageRoot } from '../root.js'
import { endpointKind, targetKind } from './index.js'
import type { Target } from './types.js'

/* A running system that asks everybody who they are, over TLS only: the reference, as a user would have started it. */

let folder = ''
let running: Target
let token = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kop-conformance-endpoint-'))
  const ip = { name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip: '127.0.0.1' }] }
  const options = { keySize: 2048, extensions: [ip] }
  const [own, other] = await Promise.all([generate(undefined, options), generate(undefined, options)])
  await writeFile(join(folder, 'ca.pem'), own.cert)
  await writeFile(join(folder, 'key.pem'), own.private)
  await writeFile(join(folder, 'other.pem'), other.cert)
  const key = randomBytes(32)
  token = await new SignJWT({ sub: 'root' }).setProtectedHeader({ alg: 'HS256' }).sign(createSecretKey(key))
  running = await targetKind('reference').start({
    settings: {
      kafkaListeners: 'SASL_SSL://127.0.0.1:0',
      brokerServicePortTls: '0',
      webServicePortTls: '0',
      tlsCertificateFilePath: join(folder, 'ca.pem'),
      tlsKeyFilePath: join(folder, 'key.pem'),
      authenticationEnabled: 'true',
      authorizationEnabled: 'true',
      superUserRoles: 'root',
      tokenSecretKey: `data:;base64,${key.toString('base64')}`,
    },
  })
  process.env.KOP_TEST_TOKEN = token
})
after(async () => {
  await running?.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Changes {
  readonly kafka?: string
  readonly password?: string
  readonly token?: string
  readonly ca?: string
}

/** A target.yaml of the running system, with something in it changed. */
async function targetFile(changes: Changes = {}): Promise<string> {
  const { kafkaSaslTls, pulsarTls, adminTls } = running.endpoints
  const variable = '$' + '{KOP_TEST_TOKEN}'
  const file = join(folder, `target-${randomBytes(4).toString('hex')}.yaml`)
  const yaml = `
name: mine
addresses: { kafkaSaslTls: "${changes.kafka ?? kafkaSaslTls}", pulsarTls: "${pulsarTls}", adminTls: "${adminTls}" }
tls: { caFile: ${changes.ca ?? 'ca.pem'} }
credentials:
  kafka: { mechanism: PLAIN, username: root, password: "${changes.password ?? `token:${variable}`}" }
  pulsar: { token: "${changes.token ?? variable}" }
answers: { ID-3: index, MT-1: public/default }
`
  await writeFile(file, yaml)
  return file
}

async function looksAt(file: string): Promise<string[]> {
  const lines: string[] = []
  await endpointKind({ profileFile: file }).start({ onProgress: (line) => lines.push(line) })
  return lines
}

test('what a system offers is looked at with its own credentials, and told', async () => {
  const lines = (await looksAt(await targetFile())).join('\n')
  assert.match(lines, /Kafka at 127\.0\.0\.1:\d+: \d+ APIs; Produce \d+ to \d+, Fetch \d+ to \d+/)
  assert.match(lines, /Pulsar at pulsar\+ssl:.*protocol \d+/)
  assert.match(lines, /making tenants: allowed; making namespaces: allowed/)
  assert.ok(!lines.includes(token))
  const { text } = await askRest(running.endpoints.adminTls ?? '', {
    method: 'GET',
    path: '/admin/v2/tenants',
    token,
    caPath: join(folder, 'ca.pem'),
  })
  assert.ok(!text.includes('kct-probe'), text)
})

test('a wrong address, certificate or credential is one line, before the run', async () => {
  const refuses = async (changes: Changes, pattern: RegExp) =>
    assert.rejects(looksAt(await targetFile(changes)), (error: Error) => {
      assert.equal(error.name, 'UsageError')
      assert.match(error.message, pattern)
      assert.ok(!error.message.includes('\n') && !error.message.includes(token))
      return true
    })
  await refuses(
    { kafka: '127.0.0.1:1' },
    /^addresses\.kafkaSaslTls of .*\.yaml 127\.0\.0\.1:1: nobody answers there \(ECONNREFUSED\)/,
  )
  await refuses({ ca: 'other.pem' }, /^tls\.caFile .*other\.pem: it does not vouch for https:/)
  await refuses(
    { password: 'token:wrong' },
    /^credentials\.kafka: 127\.0\.0\.1:\d+ refuses them .*; mend them in /,
  )
  await refuses({ token: 'wrong' }, /^credentials\.pulsar: https:.* refuses them \(401/)
  await refuses({ ca: 'none.pem' }, /tls\.caFile: there is no file /)
  delete process.env.KOP_TEST_TOKEN
  await refuses({}, /credentials\.kafka\.password: the environment variable KOP_TEST_TOKEN is not set$/)
  process.env.KOP_TEST_TOKEN = token
})

/** Runs the command line against the system; `onPlanned` may interrupt it. */
async function runs(
  out: string,
  args: readonly string[],
  onPlanned?: (kill: () => void) => void,
): Promise<number> {
  const cli = join(packageRoot, 'dist', 'matrix', 'cli.js')
  const all = [
    cli,
    'run',
    '--profile',
    await targetFile(),
    '--clients',
    'raw',
    '--jobs',
    '1',
    '--out',
    out,
    ...args,
  ]
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    if (/cases in/.test(said)) onPlanned?.(() => child.kill('SIGINT'))
  })
  const [code] = (await once(child, 'exit')) as [number]
  assert.ok(!said.includes(token), said)
  return code
}

async function topics(): Promise<string[]> {
  const { text } = await askRest(running.endpoints.adminTls ?? '', {
    method: 'GET',
    path: '/admin/v2/persistent/public/default/partitioned',
    token,
    caPath: join(folder, 'ca.pem'),
  })
  return (JSON.parse(text) as string[]).sort()
}

test('a profile alone runs scenarios on it, tells no secret, and leaves what others have made', async () => {
  const mine = { method: 'PUT', path: '/admin/v2/persistent/public/default/mine/partitions', body: 1, token }
  await askRest(running.endpoints.adminTls ?? '', { ...mine, caPath: join(folder, 'ca.pem') })
  const out = join(folder, 'out')
  assert.equal(await runs(out, ['--only', 'GC-6']), 0)
  const { summary } = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'))
  assert.ok(summary.verdicts.passed > 5, JSON.stringify(summary))
  for (const name of await readdir(out)) {
    const text = await readFile(join(out, name), 'utf8')
    assert.ok(!text.includes(token), name)
  }
  assert.deepEqual(await topics(), ['persistent://public/default/mine'])
})

test('an interrupted run deletes what it has made', async () => {
  const code = await runs(join(folder, 'interrupted'), ['--chapter', 'GC'], (interrupt) =>
    setTimeout(interrupt, 1500),
  )
  assert.equal(code, 130)
  assert.deepEqual(await topics(), ['persistent://public/default/mine'])
})
