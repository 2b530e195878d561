import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { packageRoot } from '../root.js'
import { filled, portsOf } from './container-ports.js'
import { reachedBy } from './endpoint-access.js'
import { containerKind } from './index.js'
import { withoutSecrets } from './secrets.js'
import { readTargetYaml, targetJsonSchema } from './target-yaml.js'

const folder = mkdtempSync(join(tmpdir(), 'kop-conformance-target-yaml-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const targets = join(packageRoot, 'matrix', 'targets')

function written(text: string): string {
  const file = join(folder, 'target.yaml')
  writeFileSync(file, text)
  return file
}

test('target.schema.json is what target-yaml.ts says', () => {
  const published = JSON.parse(readFileSync(join(targets, 'target.schema.json'), 'utf8'))
  assert.deepEqual(published, JSON.parse(JSON.stringify(targetJsonSchema())))
})

test('what is in the environment is taken from there, and blackened in what is told', () => {
  const file = written(
    `name: mine\naddresses: { kafka: "a:1" }\ncredentials: { kafka: { mechanism: PLAIN, username: me, password: "${'$'}{SECRET}" } }\n`,
  )
  const yaml = readTargetYaml(file, { SECRET: 'pa"ss\nword' })
  const { access } = reachedBy({}, file, yaml)
  assert.deepEqual(access.kafka?.sasl, { mechanism: 'PLAIN', username: 'me', password: 'pa"ss\nword' })
  assert.deepEqual(withoutSecrets({ reason: 'refused pa"ss\nword for me', at: [1, null] }, access), {
    reason: 'refused *** for me',
    at: [1, null],
  })
  assert.throws(
    () => readTargetYaml(file, {}),
    /^UsageError: [^\n]*credentials\.kafka\.password: the environment variable SECRET is not set$/,
  )
})

test('the first address of a protocol is the one that the credentials fit; options win over the file', () => {
  const file = written(`
name: mine
addresses: { kafka: "a:1", kafkaTls: "a:2", kafkaSaslTls: "a:3", pulsar: "pulsar://a:4", adminTls: "https://a:5/" }
`)
  const yaml = readTargetYaml(file)
  const sasl = { mechanism: 'PLAIN' as const, username: 'me', password: 'secret' }
  const nobody = reachedBy({}, file, yaml)
  assert.equal(nobody.endpoints.kafka, 'a:1')
  assert.deepEqual(nobody.access.kafka, {})
  assert.equal(nobody.endpoints.admin, 'https://a:5')
  assert.ok(nobody.access.admin?.caPath)
  const me = reachedBy({}, file, { ...yaml, credentials: { kafka: sasl }, tls: { caFile: '/ca.pem' } })
  assert.equal(me.endpoints.kafka, 'a:3')
  assert.deepEqual(me.access.kafka, { caPath: '/ca.pem', sasl })
  assert.equal(me.named.kafka, `addresses.kafkaSaslTls of ${file}`)
  const given = reachedBy({ kafka: 'b:1' }, file, { ...yaml, credentials: { kafka: sasl } })
  assert.equal(given.endpoints.kafka, 'b:1')
  assert.deepEqual(given.access.kafka, { sasl })
  assert.equal(given.named.kafka, '--kafka')
})

test('ports of a container go into its configuration; 0 inside is the same as outside', () => {
  const file = written(`
name: mine
container:
  image: i
  ports: { kafka: 9092, pulsar: 0 }
  environment: { LISTENER: "PLAINTEXT://127.0.0.1:{port.kafka}" }
  command: [serve, "--port={port.pulsar}", "{port.unknown}"]
  files: { /conf: "advertised={port.kafka}" }
`)
  const { container } = readTargetYaml(file)
  assert.ok(container)
  const ports = portsOf(
    container.ports,
    new Map([
      ['kafka', 20001],
      ['pulsar', 20002],
    ]),
  )
  assert.deepEqual(ports.get('pulsar'), { inside: 20002, outside: 20002 })
  const spec = filled(container, ports)
  assert.equal(spec.environment.LISTENER, 'PLAINTEXT://127.0.0.1:20001')
  assert.deepEqual(spec.command, ['serve', '--port=20002', '{port.unknown}'])
  assert.equal(spec.files['/conf'], 'advertised=20001')
})

test('what is wrong is one line; a profile without an image is none of a container', () => {
  for (const [yaml, pattern] of [
    ['name: x\naddresses: { kafka: "a" }', /addresses\.kafka: give host:port/],
    ['name: x\naddresses: { kafkas: "a:1" }', /addresses: [^\n]*kafkas/],
    ['name: x\ncontainer: { image: i, ports: {} }', /container\.ports: name at least one port/],
    ['name: x\ntls: { caFile: none.pem }', /tls\.caFile: there is no file/],
  ] as const) {
    assert.throws(
      () => readTargetYaml(written(yaml)),
      (error: Error) => {
        assert.equal(error.name, 'UsageError')
        assert.match(error.message, pattern)
        return !error.message.includes('\n')
      },
    )
  }
  assert.throws(() => containerKind(written('name: x')), /it names no image; add container:/)
})

test('the profiles of published images can be read', () => {
  process.env.SN_PLATFORM_TAG = '1'
  const names = readdirSync(join(targets, 'containers'))
  assert.ok(names.length >= 4)
  for (const name of names) {
    const kind = containerKind(join(targets, 'containers', name))
    assert.ok(kind.endpoints?.kafka !== undefined || kind.endpoints?.pulsar !== undefined, name)
  }
})
