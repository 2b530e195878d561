import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { endpointKind, readProfile, targetKind, targetKinds } from './index.js'
import { endpointsOf, withPorts } from './reference-addresses.js'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kop-conformance-targets-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function profileFile(text: string): Promise<string> {
  const file = join(folder, 'target.yaml')
  await writeFile(file, text)
  return file
}

test('the kinds have names, powers and profiles', () => {
  assert.deepEqual(
    targetKinds().map(({ name }) => name),
    ['reference', 'kafka', 'pulsar'],
  )
  assert.ok(targetKind('reference').powers.has('fail-store'))
  assert.equal(targetKind('reference').profile.answers['ID-3'], 'index')
  assert.throws(
    () => targetKind('rabbit'),
    /^UsageError: no target rabbit: there are reference, kafka, pulsar$/,
  )
})

test('a profile is read; what is wrong in one is told in one line', async () => {
  const file = await profileFile('name: mine\nanswers: { ID-3: packed }\ndeclines: { MC-16: not offered }\n')
  const profile = readProfile(file)
  assert.equal(profile.answers['ID-3'], 'packed')
  assert.equal(profile.declines['MC-16'], 'not offered')
  assert.throws(
    () => readProfile(join(folder, 'none.yaml')),
    /^UsageError: [^\n]*none\.yaml: cannot be read[^\n]*$/,
  )
  const wrong = await profileFile('name: mine\nanswers: { offsets: index }\n')
  assert.throws(() => readProfile(wrong), /^UsageError: [^\n]*answers\.offsets: [^\n]*$/)
  const unknown = await profileFile('name: mine\nanswer: {}\n')
  assert.throws(() => readProfile(unknown), /^UsageError: [^\n]*answer[^\n]*$/)
  const typo = await profileFile('name: mine\nanswers: { MCC-6: base64-flag }\n')
  assert.throws(() => readProfile(typo), /^UsageError: [^\n]*answers\.MCC-6: [^\n]*did you mean MC-6\?$/)
  const evading = await profileFile('name: mine\ndeclines: { MC-3: we lose headers }\n')
  assert.throws(() => readProfile(evading), /^UsageError: [^\n]*declines\.MC-3: a MUST [^\n]*$/)
  const broken = await profileFile('name: [\n')
  assert.throws(() => readProfile(broken), /^UsageError: [^\n]*YAML[^\n]*$/)
})

test('a running system is there already: none has power over it, and one that is not is told', async () => {
  const kind = endpointKind({ kafka: '127.0.0.1:1' })
  assert.deepEqual(kind.endpoints, { kafka: '127.0.0.1:1' })
  assert.deepEqual([...kind.powers], [])
  assert.equal(kind.outlivesRun, true)
  await assert.rejects(
    kind.start({}),
    /^UsageError: --kafka 127\.0\.0\.1:1: nobody answers there \(ECONNREFUSED\); start the system or mend the address$/,
  )
})

/** A stand-in for the reference: it serves nothing, but speaks as the reference does to its parent. */
const STAND_IN = `
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
const config = readFileSync(process.argv[process.argv.indexOf('--config') + 1], 'utf8')
const port = (name) => new RegExp(name + '.*?(\\\\d+)$', 'm').exec(config)[1]
const ready = { kafka: '127.0.0.1:' + port('kafkaListeners'), pulsar: 'pulsar://127.0.0.1:' + port('brokerServicePort'),
  admin: 'http://127.0.0.1:' + port('webServicePort'), version: '9' }
console.error('started over ' + config)
process.stdout.write(JSON.stringify({ ready }) + '\\n')
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => { console.error('control ' + line); process.stdout.write('{"ok":true}\\n') })
lines.on('close', () => process.exit(0))
`

test('the reference keeps its ports and data over stop, kill and start, and takes commands', async () => {
  const program = join(folder, 'main.mjs')
  await writeFile(program, STAND_IN)
  process.env.KOP_CONFORMANCE_REFERENCE_MAIN = program
  try {
    const target = await targetKind('reference').start({ settings: { offsetMapping: 'packed' } })
    const before = target.endpoints
    assert.equal(target.version, '9')
    assert.equal(target.profile.answers['ID-3'], 'packed')
    assert.match(
      await readFile(join(target.dataDir, 'reference.properties'), 'utf8'),
      /^offsetMapping=packed$/m,
    )
    await target.failStore(true)
    await target.restart()
    await target.kill()
    await assert.rejects(target.failStore(true), /not running/)
    await target.start()
    assert.deepEqual(target.endpoints, before)
    const log = await target.logTail()
    assert.equal(log.match(/started over/g)?.length, 3)
    assert.match(log, /control {"failStore":true}/)
    await target.stop({ keepData: true })
    assert.ok(existsSync(target.dataDir))
    const again = await targetKind('reference').start({ dataDir: target.dataDir })
    await again.stop()
    await again.stop()
    assert.equal(existsSync(target.dataDir), false)
  } finally {
    delete process.env.KOP_CONFORMANCE_REFERENCE_MAIN
  }
})

test('a reference that refuses its settings is an error with its last words', async () => {
  const program = join(folder, 'refuses.mjs')
  await writeFile(program, 'console.error("entryFormat: no such format"); process.exit(2)')
  process.env.KOP_CONFORMANCE_REFERENCE_MAIN = program
  try {
    await assert.rejects(
      targetKind('reference').start({}),
      /ended before it served; its last log line: entryFormat: no such/,
    )
  } finally {
    delete process.env.KOP_CONFORMANCE_REFERENCE_MAIN
  }
})

test('an instance of the reference gets a port for each that is left open, and is known by all its listeners', async () => {
  const plain = await withPorts({ entryFormat: 'kafka' })
  assert.match(plain.kafkaListeners ?? '', /^PLAINTEXT:\/\/127\.0\.0\.1:\d{5}$/)
  assert.equal(plain.entryFormat, 'kafka')
  const settings = await withPorts({
    kafkaListeners: 'SASL_PLAINTEXT://127.0.0.1:0, SASL_SSL://127.0.0.1:0,OWN://127.0.0.1:9094',
    brokerServicePortTls: '0',
  })
  const ports = [
    ...[...(settings.kafkaListeners ?? '').matchAll(/:(\d+)/g)].map(([, port]) => port),
    settings.brokerServicePort,
    settings.webServicePort,
    settings.brokerServicePortTls,
  ]
  assert.equal(ports[2], '9094')
  assert.equal(new Set(ports).size, 6)
  assert.ok(!ports.includes('0') && settings.webServicePortTls === undefined)
  const served = { kafka: 'k:1', pulsar: 'pulsar://p:1', admin: 'http://a:1', version: '1' }
  assert.deepEqual(endpointsOf({ ...served, pulsarTls: 'pulsar+ssl://p:2' }, settings), {
    kafka: 'k:1',
    pulsar: 'pulsar://p:1',
    admin: 'http://a:1',
    pulsarTls: 'pulsar+ssl://p:2',
    kafkaSasl: `127.0.0.1:${ports[0]}`,
    kafkaSaslTls: `127.0.0.1:${ports[1]}`,
  })
})
