import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('./cli.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'kop-cli-'))

interface Said {
  readonly code: number
  readonly out: string
  readonly errors: string
}

function say(...args: string[]): Promise<Said> {
  const env = { ...process.env, NO_COLOR: '1' }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CLI, ...args],
      { env, cwd: folder, maxBuffer: 1 << 26 },
      (error, out, errors) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, errors })
      },
    )
  })
}

/** Wrong usage: exit code 2, one line that names the option and what to do, no stack. */
async function refused(args: readonly string[], message: RegExp): Promise<void> {
  const { code, out, errors } = await say(...args)
  const title = args.join(' ')
  assert.equal(code, 2, title)
  assert.equal(out, '', title)
  assert.match(errors, message, title)
  assert.doesNotMatch(errors, /\n\s+at /, title)
  assert.ok(errors.trimEnd().split('\n').length <= 2, `${title}: ${errors}`)
}

test('mistakes on the command line are told in a line, with exit code 2', async () => {
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  await Promise.all([
    refused(['run', '--job', '3'], /kop-conformance: unknown option '--job'\n\(Did you mean --jobs\?\)/),
    refused(['rum'], /unknown command 'rum'/),
    refused(['run', '--jobs', 'many'], /--jobs <count>.*'many' is invalid\. Give a whole number from 1\./),
    refused(['run', '--seed', '-1'], /--seed/),
    refused(['run', '--timeout', '0'], /--timeout <seconds>.*Give seconds/),
    refused(['run', '--kafka', 'broker'], /--kafka <host:port>.*Give host:port/),
    refused(['run', '--pulsar', 'broker:6650'], /--pulsar <url>.*pulsar:\/\/broker:6650/),
    refused(['run', '--pulsar', 'pulsar://broker'], /--pulsar <url>.*Give a service URL/),
    refused(['run', '--kafka', 'b:1', '--target', 'kafka'], /--target kafka starts a target/),
    refused(
      ['run', '--kafka', 'b:1', '--settings', 'a=b'],
      /--settings are for a target that the run starts/,
    ),
    refused(['run', '--admin', 'http://b:1'], /--admin belongs to a running system: add --kafka or --pulsar/),
    refused(['run', '--settings', 'entryFormat'], /--settings <list>.*name=value/),
    refused(['run', '--target', 'kafak'], /--target kafak: .*reference, kafka, pulsar/),
    refused(['run', '--clients', 'kafkjs'], /--clients kafkjs: no such client; did you mean kafkajs\?/),
    refused(['run', '--only', 'XX-1'], /--only XX-1: the register has no such requirement/),
    refused(['plan', '--chapter', 'nowhere'], /--chapter nowhere: no such chapter; there are /),
    refused(['run', '--pairs', 'some'], /--pairs <which>.*Allowed choices are cover, all/),
    refused(['run', '--out', join(file, 'x')], /--out .*a-file.*the folder cannot be made/),
    refused(
      ['run', '--kafka', '127.0.0.1:1'],
      /--kafka 127\.0\.0\.1:1: nobody answers there \(ECONNREFUSED\)/,
    ),
    refused(['run', '--pulsar', 'pulsar://no.such.host.invalid:6650'], /--pulsar .*nobody answers/),
    refused(['run', '--known-failing', '/no/such.yaml'], /--known-failing \/no\/such\.yaml: no such file/),
  ])
})

test('list tells every scenario, also as JSON', async () => {
  const [table, json] = await Promise.all([say('list'), say('list', '--json', '--chapter', 'PH')])
  assert.equal(table.code, 0)
  assert.match(table.out, /\d+ scenarios of \d+ requirements/)
  const scenarios = JSON.parse(json.out) as Record<string, unknown>[]
  assert.ok(scenarios.length > 0)
  for (const { id, requirementIds, level, worlds } of scenarios) {
    assert.match(String(id), /^[a-z0-9-]+\/[a-z0-9-]+\/[a-z0-9-]+(#\d+)?$/)
    assert.ok(Array.isArray(requirementIds) && requirementIds.length > 0)
    assert.match(String(level), /^(MUST|SHOULD|DECLARED)$/)
    assert.match(String(worlds), /^(kafka|pulsar|both|raw|tools)$/)
  }
})

test('plan tells cells and what is left out, without starting anything', async () => {
  const { code, out } = await say('plan', '--json', '--target', 'kafka', '--clients', 'kafkajs')
  assert.equal(code, 0)
  const plan = JSON.parse(out) as { cells: { id: string }[]; leftOut: { reason: string }[] }
  assert.deepEqual(
    plan.cells.map(({ id }) => id),
    ['kafkajs@2.2.4', 'raw'],
  )
  assert.deepEqual(plan.leftOut.map(({ reason }) => reason).sort(), [
    'the target does not speak Pulsar',
    'the target has no admin address',
    "there is no tool of Kafka's administration in the plan",
  ])
})

test('doctor tells of every toolchain, client and target, and what to do', async () => {
  const { code, out } = await say('doctor', '--json')
  assert.equal(code, 0)
  const checks = JSON.parse(out) as { group: string; name: string; ready: boolean; remedy: string }[]
  const names = checks.map(({ name }) => name)
  for (const name of ['Node.js', 'container engine', 'kafkajs 2.2.4', 'target reference', 'target pulsar']) {
    assert.ok(names.includes(name), name)
  }
  for (const { name, ready, remedy } of checks) assert.ok(ready || remedy !== '', name)
})

test('help and version are no mistakes', async () => {
  const [help, version] = await Promise.all([say('run', '--help'), say('--version')])
  assert.deepEqual([help.code, version.code], [0, 0])
  assert.match(help.out, /--only <what>/)
  assert.match(version.out, /^\d+\.\d+\.\d+/)
})
