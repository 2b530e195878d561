import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { readClientYaml } from './client-yaml.js'
import { loadClients, provisionClient } from './index.js'
import { lastWords } from './tools.js'
import type { ClientSpec } from './types.js'

let scratch = ''
const { PATH, CXX, KOP_CONFORMANCE_CACHE } = process.env
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'kop-conformance-provision-'))
  process.env.KOP_CONFORMANCE_CACHE = join(scratch, 'cache')
  delete process.env.CXX
})
after(async () => {
  Object.assign(process.env, CXX === undefined ? {} : { CXX })
  if (KOP_CONFORMANCE_CACHE === undefined) delete process.env.KOP_CONFORMANCE_CACHE
  else process.env.KOP_CONFORMANCE_CACHE = KOP_CONFORMANCE_CACHE
  await rm(scratch, { recursive: true, force: true })
})
afterEach(() => {
  process.env.PATH = PATH
})

/** A PATH of nothing but programs that do as `script` says. */
async function onlyPrograms(programs: Record<string, string>): Promise<void> {
  const folder = await mkdtemp(join(scratch, 'bin-'))
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(folder, name), 0o755)
  }
  process.env.PATH = folder
}

async function client(name: string, yaml: string): Promise<ClientSpec> {
  const folder = join(scratch, name)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'client.yaml'), `name: ${name}\n${yaml}`)
  const [spec] = loadClients(scratch).filter((found) => found.name === name)
  assert.ok(spec)
  return spec
}

const nodeClient = 'kind: kafka\nlanguage: node\npackage: some-client\nversions: ["1.0.0"]\nquick: true\n'

test('every client of the repository is described, with its driver beside it', () => {
  const clients = loadClients()
  const names = clients.map(({ name }) => name)
  for (const name of ['kafkajs', 'node-rdkafka', 'kafka-clients-java', 'confluent-kafka'])
    assert.ok(names.includes(name))
  for (const name of ['pulsar-client-node', 'pulsar-client-java', 'pulsar-client-python'])
    assert.ok(names.includes(name))
  for (const { folder, name } of clients) assert.equal(readClientYaml(folder).name, name)
})

test('a wrong description is one line that names file and field', async () => {
  const folder = join(scratch, 'wrong')
  await mkdir(folder)
  await writeFile(join(folder, 'client.yaml'), 'name: wrong\nkind: soap\n')
  assert.throws(() => readClientYaml(folder), /^Error: [^\n]*client\.yaml: kind: [^\n]*$/)
  await rm(folder, { recursive: true })
})

test('a missing compiler is a reason and a remedy, not an exception', async () => {
  const spec = await client('compiled', `${nodeClient}tools: [c++, make]\n`)
  await onlyPrograms({ npm: 'exit 0' })
  const refused = await provisionClient(spec, '1.0.0', {})
  assert.deepEqual(refused, {
    name: 'compiled',
    version: '1.0.0',
    kind: 'kafka',
    reason: 'no C++ compiler',
    remedy: 'install g++ and make (Debian: apt-get install build-essential)',
  })
})

test('a missing language is a reason', async () => {
  await onlyPrograms({})
  const python = await client('snake', nodeClient.replace('node', 'python'))
  const java = await client('cup', nodeClient.replace('node', 'java').replace('some-client', 'g:a'))
  const reasons = await Promise.all([python, java].map((spec) => provisionClient(spec, '1.0.0', {})))
  assert.deepEqual(
    reasons.map((refused) => 'reason' in refused && refused.reason),
    ['no Python 3', 'no Java compiler'],
  )
})

test("a failing tool's own words are the reason; the next attempt may succeed and is kept", async () => {
  const spec = await client('flaky', nodeClient)
  await onlyPrograms({ npm: 'echo "npm error getaddrinfo ENOTFOUND registry" >&2; exit 1' })
  const refused = await provisionClient(spec, '1.0.0', {})
  assert.match(
    'reason' in refused ? refused.reason : '',
    /could not install some-client 1\.0\.0: getaddrinfo ENOTFOUND/,
  )
  await onlyPrograms({ npm: 'exit 0' })
  const lines: string[] = []
  const ready = await provisionClient(spec, '1.0.0', { onProgress: (line) => lines.push(line) })
  assert.ok('command' in ready)
  assert.equal(dirname(ready.command.at(-1) ?? ''), spec.folder)
  assert.match(lines[0] ?? '', /^installing some-client 1\.0\.0 with npm$/)
  await onlyPrograms({})
  assert.deepEqual(await provisionClient(spec, '1.0.0', {}), ready)
})

test('an abort ends provisioning', async () => {
  const spec = await client('aborted', nodeClient)
  await assert.rejects(provisionClient(spec, '1.0.0', { signal: AbortSignal.abort() }), {
    name: 'AbortError',
  })
})

test('of a long log the line that tells most is kept', () => {
  const log =
    'npm error code 1\nnpm error [error] install request failed, reason: getaddrinfo ENOTFOUND host\nnpm error [error] not ok\n'
  assert.equal(lastWords(log), 'install request failed, reason: getaddrinfo ENOTFOUND host')
  assert.equal(
    lastWords('a\nerror: missing header\nnpm error A complete log of this run\nb'),
    'error: missing header',
  )
  assert.equal(lastWords('one\ntwo\n'), 'two')
})
