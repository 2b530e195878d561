import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { kafkaOps, pulsarOps } from '../driver/messages.js'
import { targetKind } from '../targets/index.js'
import type { Target } from '../targets/types.js'
import { loadClients, provisionClient } from './index.js'
import { smoke } from './smoke.js'
import type { SmokeCheck } from './smoke-run.js'
import type { ReadyClient } from './types.js'

/*
 * A smoke has to find a driver out that is wrong. The drivers here are right ones, with a program between them and the
 * smoke that spoils what passes through. The reference stands for the originals: what is judged are the smokes.
 */

/** Between a driver and whoever speaks with it: `spoil.mjs <fault> <log of ops> <program> <arguments…>`. */
const SPOIL = `
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
const [fault, log, program, ...args] = process.argv.slice(2)
const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
const asked = new Map()
const places = (records) => records.map(({ partition = 0 }) => ({ partition }))
const nextOf = (offset) => String(BigInt(offset) + 1n)
const received = (change) => (result) => {
  for (const name of ['records', 'messages']) {
    if (result[name]?.[0]?.value !== undefined) result[name] = change(result[name])
  }
}
const each = (change) => received((all) => all.map((one) => ({ ...one, ...change(one) })))
/** Before the driver is asked. */
const before = {
  'commits the next offset': ({ op, args }) => {
    if (op === 'commit') for (const each of args.offsets) each.offset = nextOf(each.offset)
  },
  'a member commits the next offset': ({ op, args }) => {
    if (op === 'memberCommit') for (const each of args.offsets ?? []) each.offset = nextOf(each.offset)
  },
  'answers before it is acknowledged': ({ id, op, args }) => {
    if (op !== 'produce') return
    const ids = (args.messages ?? []).map(() => ({ ledgerId: '0', entryId: '0', partition: -1, batchIndex: -1 }))
    say({ id, result: args.records ? { records: places(args.records) } : { ids } })
  },
  'starts at the beginning always': ({ args }) => {
    if (args?.from !== undefined) args.from = 'earliest'
  },
  'creates topics without configs': ({ op, args }) => {
    if (op === 'createTopics') for (const topic of args.topics) topic.configs = {}
  },
}
/** What the driver answered. */
const behind = {
  'swaps key and value': each(({ key, value }) => ({ key: value, value: key })),
  'drops headers': each((one) => (one.headers ? { headers: [] } : { properties: {} })),
  'loses a record': received((all) => all.slice(0, -1)),
  'hears a record twice': received((all) => [...all, all.at(-1)]),
  'takes null for empty': each(({ value }) => ({ value: value ?? '' })),
  'is a millisecond late': each((one) => (one.timestamp ? { timestamp: nextOf(one.timestamp) } : { eventTime: nextOf(one.eventTime) })),
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line)
  asked.set(message.id, message.op)
  appendFileSync(log, message.op + '\\n')
  before[fault]?.(message)
  if (fault === 'ignores ' + message.op) say({ id: message.id, result: {} })
  else child.stdin.write(JSON.stringify(message) + '\\n')
}).on('close', () => child.stdin.end())
createInterface({ input: child.stdout }).on('line', (line) => {
  if (!line.startsWith('{')) return
  const answer = JSON.parse(line)
  if (answer.result) behind[fault]?.(answer.result)
  if (fault === 'hides errors' && answer.error) {
    const empty = { records: [], messages: [], ids: [], offset: '0', topics: [], names: [] }
    return say({ id: answer.id, result: empty })
  }
  if (fault === 'answers before it is acknowledged' && asked.get(answer.id) === 'produce') return
  say(answer)
})
child.on('exit', () => process.exit(0))
`

const KAFKA_FAULTS = [
  'swaps key and value',
  'drops headers',
  'loses a record',
  'hears a record twice',
  'takes null for empty',
  'is a millisecond late',
  'commits the next offset',
  'a member commits the next offset',
  'hides errors',
  'answers before it is acknowledged',
  'starts at the beginning always',
  'creates topics without configs',
  'ignores createPartitions',
  'ignores deleteRecords',
  'ignores alterConfigs',
  'ignores seek',
  'ignores commit',
  'ignores memberCommit',
  'ignores closeMember',
]
const PULSAR_FAULTS = [
  'swaps key and value',
  'drops headers',
  'loses a record',
  'hears a record twice',
  'is a millisecond late',
  'hides errors',
  'answers before it is acknowledged',
  'starts at the beginning always',
  'ignores seek',
  'ignores acknowledge',
  'ignores negativeAcknowledge',
  'ignores redeliverUnacknowledged',
  'ignores unsubscribe',
  'ignores closeConsumer',
]

let folder = ''
let target: Target
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kop-conformance-smoke-'))
  writeFileSync(join(folder, 'spoil.mjs'), SPOIL)
  target = await targetKind('reference').start({ settings: { maxMessageSize: '2000000' } })
})
after(async () => {
  await target.stop()
  rmSync(folder, { recursive: true, force: true })
})

const logFile = (name: string, fault: string) => join(folder, `${name}-${fault.replaceAll(' ', '-')}`)

async function smokeWith(name: string, fault: string, untilFailure: boolean): Promise<readonly SmokeCheck[]> {
  const spec = loadClients().find((each) => each.name === name)
  assert.ok(spec)
  const client = await provisionClient(spec, spec.versions.at(-1) ?? '', {})
  assert.ok('command' in client, 'reason' in client ? client.reason : '')
  const spoil = [process.execPath, join(folder, 'spoil.mjs'), fault, logFile(name, fault)]
  const spoiled: ReadyClient = { ...client, command: [...spoil, ...client.command] }
  return smoke(spoiled, target.endpoints, { untilFailure })
}

const failedOf = (checks: readonly SmokeCheck[]) =>
  checks.filter(({ outcome }) => outcome === 'failed').map(({ what, detail }) => `${what}: ${detail}`)

// What they do most is wait.
describe('smokes', { concurrency: 6 }, () => {
  for (const { name, ops, faults } of [
    { name: 'kafkajs', ops: kafkaOps, faults: KAFKA_FAULTS },
    { name: 'pulsar-client-python', ops: pulsarOps, faults: PULSAR_FAULTS },
  ]) {
    test(`the smoke finds nothing wrong with ${name}'s driver, and calls every op of its kind`, async () => {
      assert.deepEqual(failedOf(await smokeWith(name, 'none', false)), [])
      const called = new Set(readFileSync(logFile(name, 'none'), 'utf8').trim().split('\n'))
      assert.deepEqual(
        Object.keys(ops).filter((op) => !called.has(op)),
        [],
      )
    })
    for (const fault of faults) {
      test(`the smoke finds a driver of ${name} out that ${fault}`, async () => {
        assert.notDeepEqual(failedOf(await smokeWith(name, fault, true)), [])
      })
    }
  }
})
