import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { targetKind } from '../targets/index.js'
import type { TargetKind } from '../targets/types.js'
import { driverDigest } from './digest.js'
import { loadClient } from './index.js'
import { readOwnProof } from './proof.js'
import { provenTable } from './proven-table.js'
import { provisionProved } from './proving.js'
import type { ClientSpec, Provision } from './types.js'

const scratch = mkdtempSync(join(tmpdir(), 'kop-conformance-proving-'))
process.env.KOP_CONFORMANCE_CACHE = join(scratch, 'cache')
after(() => rmSync(scratch, { recursive: true, force: true }))

/** It makes topics that only it knows of; asked for anything else it says that it cannot. */
const DRIVER = `
const topics = new Set()
const ops = {
  configure: () => ({}),
  createTopics: ({ topics: wanted }) => ({ topics: wanted.map(({ name }) => create(name)) }),
  listTopics: () => ({ names: [...topics] }),
  deleteTopics: ({ names }) => ({ topics: names.map(remove) }),
}
const remove = (name) => topics.delete(name) ? { name } : { name, error: 'UNKNOWN_TOPIC_OR_PARTITION' }
function create(name) {
  if (name.includes(' ')) return { name, error: 'INVALID_TOPIC_EXCEPTION' }
  if (topics.has(name)) return { name, error: 'TOPIC_ALREADY_EXISTS' }
  topics.add(name)
  return { name }
}
const say = (value) => console.log(JSON.stringify(value))
say({ ready: { client: 'mine', version: '1', kind: 'kafka' } })
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, op, args } = JSON.parse(line)
  say(ops[op] ? { id, result: ops[op](args) } : { id, unsupported: 'no ' + op })
})
`
const YAML = `
name: mine
kind: kafka
language: other
package: mine
command: [node, ./driver.cjs]
versions: ["1"]
quick: true
`

let folders = 0
function specOf(driver: string, yaml = YAML): ClientSpec {
  const folder = mkdtempSync(join(scratch, `client-${folders++}-`))
  writeFileSync(join(folder, 'client.yaml'), yaml)
  writeFileSync(join(folder, 'driver.cjs'), driver)
  return loadClient(folder)
}

const provision: Provision = async ({ name, kind, folder }, version) => {
  return { name, version, kind, command: [process.execPath, join(folder, 'driver.cjs')], env: {} }
}

function proving(why: string | null = null, startFails: string | null = null) {
  const lines: string[] = []
  let starts = 0
  let stops = 0
  const reference = targetKind('reference')
  // No server is needed for what this driver does: only its life is watched.
  const original: TargetKind = {
    ...reference,
    async start() {
      starts += 1
      if (startFails !== null) throw new Error(startFails)
      const stop = async () => {
        stops += 1
      }
      const target = {
        kind: 'kafka',
        version: '4.1.0',
        endpoints: { kafka: '127.0.0.1:1', pulsar: 'pulsar://127.0.0.1:1' },
        stop,
      }
      return target as unknown as Awaited<ReturnType<TargetKind['start']>>
    },
  }
  const provisionIt = provisionProved({
    provision,
    whyNoControl: async () => why,
    kindOf: () => original,
    onLine: (line) => lines.push(line),
    signal: new AbortController().signal,
  })
  return { provisionIt, lines, seen: () => ({ starts, stops }) }
}

test('a driver that nothing has proved is proved before it judges, once in each state', async () => {
  const spec = specOf(DRIVER)
  const { provisionIt, lines, seen } = proving()
  assert.ok('command' in (await provisionIt(spec, '1', {})))
  assert.deepEqual(lines, ['proving the driver of mine@1: nothing has, in its present state'])
  assert.deepEqual(seen(), { starts: 1, stops: 1 })
  const proof = readOwnProof('mine@1', driverDigest(spec, '1'))
  assert.equal(proof?.control, 'Apache Kafka 4.1.0')
  assert.ok((proof?.unsupported ?? 0) > 0)
  assert.ok('command' in (await provisionIt(spec, '1', {})))
  assert.equal(seen().starts, 1, 'the proof was kept')
  writeFileSync(join(spec.folder, 'driver.cjs'), `${DRIVER}\n// changed\n`)
  assert.ok('command' in (await provisionIt(spec, '1', {})))
  assert.equal(seen().starts, 2, 'another state')
})

test('a driver that fails its smoke does not judge, and the check is named', async () => {
  const spec = specOf(DRIVER.replace("'TOPIC_ALREADY_EXISTS'", "'EXISTS'"))
  const { provisionIt } = proving()
  const outcome = await provisionIt(spec, '1', {})
  assert.ok('reason' in outcome)
  assert.match(
    outcome.reason,
    /^its driver is not proven: createTopics: exists: .*expected "TOPIC_ALREADY_EXISTS", seen "EXISTS"/,
  )
  assert.equal(outcome.remedy, 'see it all: kop-conformance prove --clients mine@1')
  assert.equal(readOwnProof('mine@1', driverDigest(spec, '1')), null)
})

test('an original that does not start costs the client that was to be proved by it, not the run', async () => {
  const { provisionIt } = proving(null, 'Apache Kafka 4.1.0 did not answer within 90 s')
  const outcome = await provisionIt(specOf(`${DRIVER}//unheard`), '1', {})
  assert.equal(
    'reason' in outcome && outcome.reason,
    'its driver is not proven: Apache Kafka 4.1.0 did not answer within 90 s',
  )
})

test('a driver that can do nothing is not proven by that', async () => {
  const yaml = YAML.replace('kind: kafka', 'kind: pulsar')
  const driver = DRIVER.replace("kind: 'kafka'", "kind: 'pulsar'").replace(/ops\[op\] \?/, 'false ?')
  const outcome = await proving().provisionIt(specOf(driver, yaml), '1', {})
  assert.match('reason' in outcome ? outcome.reason : '', /calls everything unsupported$/)
})

test('where no original can be had a driver judges unproven, with a line that says so', async () => {
  const { provisionIt, lines, seen } = proving('no Java')
  assert.ok('command' in (await provisionIt(specOf(`${DRIVER}//`), '1', {})))
  assert.deepEqual(lines, ['mine@1 judges though nothing has proved its driver: no Java'])
  assert.equal(seen().starts, 0)
})

test('a digest is of the driver and how it is installed, wherever it lies; not of what is offered', () => {
  const spec = specOf(DRIVER)
  const digest = driverDigest(spec, '1')
  const moved = join(scratch, 'moved')
  cpSync(spec.folder, moved, { recursive: true })
  writeFileSync(join(moved, 'known-failing.yaml'), '[]')
  writeFileSync(join(moved, 'client.yaml'), YAML.replace('["1"]', '["1", "2"]'))
  assert.equal(driverDigest(loadClient(moved), '1'), digest)
  assert.notEqual(driverDigest(loadClient(moved), '2'), digest)
  writeFileSync(join(moved, 'client.yaml'), YAML.replace('./driver.cjs', './driver.cjs, more'))
  assert.notEqual(driverDigest(loadClient(moved), '1'), digest)
  writeFileSync(join(moved, 'client.yaml'), YAML)
  writeFileSync(join(moved, 'more.cjs'), '')
  assert.notEqual(driverDigest(loadClient(moved), '1'), digest)
})

test('the table has a row a client, with its proven versions', () => {
  const spec = { ...specOf(DRIVER), versions: ['1', '2', '3'] }
  const proof = { digest: 'd', control: 'Apache Kafka 4.1.0', date: '2030-01-01', passed: 70, unsupported: 2 }
  const table = provenTable([spec, { ...spec, name: 'other' }], { 'mine@1': proof, 'mine@3': proof })
  assert.match(table, /^2 versions of 1 clients and tools are proven/)
  assert.equal(table.split('\n').at(-1), '| mine | Kafka | other | 1, 3 | Apache Kafka 4.1.0 |')
})
