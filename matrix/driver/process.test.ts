import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ReadyClient } from '../clients/types.js'
import {
  type Driver,
  DriverCrashed,
  DriverError,
  DriverTimedOut,
  kafkaDriver,
  type StartDriverOptions,
  startDriver,
  Unsupported,
} from './process.js'

/** A driver that does what the op's name says. */
const FAKE = `
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
const ops = {
  echo: (id, args) => say({ id, result: args }),
  late: (id, args) => setTimeout(() => say({ id, result: args }), args.afterMs),
  fail: (id) => say({ id, error: { name: 'OFFSET_OUT_OF_RANGE', message: 'no such offset' } }),
  cannot: (id) => say({ id, unsupported: 'this library cannot' }),
  crash: () => { console.error('about to fall'); process.exit(3) },
  hang: () => {},
  garbage: (id) => { process.stdout.write('not json\\n{"half":\\n[1]\\n'); say({ id: 999, result: 1 }); say({ id, result: 'after' }) },
  flood: (id) => { for (let i = 0; i < 50000; i++) process.stderr.write('x'.repeat(100) + i + '\\n'); say({ id, result: 'flooded' }) },
  longLog: (id) => { process.stderr.write('y'.repeat(1e6) + '\\n'); say({ id, result: 'ok' }) },
  longLine: () => process.stdout.write('{'.repeat(3e6)),
  endless: () => { const flood = Buffer.alloc(1e6, 'x'); const on = () => { while (process.stdout.write(flood)); process.stdout.once('drain', on) }; on() },
  babble: (id) => { for (let i = 0; i < 1000; i++) process.stdout.write('z'.repeat(1e5) + '\\n'); say({ id, result: 'babbled' }) },
  strange: (id) => { process.stdout.write(Buffer.from([0xff, 0xfe, 0x0a, 0x7b, 0x00, 0x0a])); say({ id: String(id), result: 1 }); say({ id: -1 }); say({ id: null, error: 'x' }); say([id]); say({ ready: { client: 'fake', version: '1', kind: 'pulsar' } }); say({ id, result: 'right' }); say({ id, result: 'twice' }) },
  wrongError: (id) => say({ id, error: 'a text' }),
  leave: (id) => { say({ id, result: 'left' }); process.exit(0) },
  noAnswer: (id) => say({ id }),
  child: (id) => { const c = require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit' }); say({ id, result: c.pid }) },
  seek: (id, args) => say({ id, result: { seen: args } }),
  committed: (id, args) => say({ id, result: args.group === 'bad' ? { offset: 7 } : { offset: '7', metadata: JSON.stringify(args) } }),
}
say({ ready: { client: 'fake', version: '9.9.9', kind: process.env.FAKE_KIND ?? 'kafka' } })
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, op, args } = JSON.parse(line)
  ops[op](id, args)
}).on('close', () => process.exit(0))
`

function fakeClient(script: string = FAKE, env: Record<string, string> = {}): ReadyClient {
  return { name: 'fake', version: '1.0.0', kind: 'kafka', command: [process.execPath, '-e', script], env }
}

async function withDriver(
  body: (driver: Driver) => Promise<void>,
  options: StartDriverOptions = {},
): Promise<void> {
  const driver = await startDriver(fakeClient(), options)
  try {
    await body(driver)
  } finally {
    await driver.close()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('answers are matched to calls by id, in whatever order they come', () =>
  withDriver(async (driver) => {
    assert.equal(driver.version, '9.9.9')
    const late = driver.call('late', { afterMs: 20, name: 'a' })
    const early = driver.call('echo', { name: 'b' })
    assert.deepEqual(await early, { name: 'b' })
    assert.deepEqual(await late, { afterMs: 20, name: 'a' })
  }))

test("a library's error keeps the protocol's name, and the driver goes on", () =>
  withDriver(async (driver) => {
    await assert.rejects(
      driver.call('fail', {}),
      (error: Error) =>
        error instanceof DriverError &&
        error.name === 'OFFSET_OUT_OF_RANGE' &&
        error.message === 'no such offset',
    )
    await assert.rejects(driver.call('cannot', {}), new Unsupported('this library cannot'))
    assert.deepEqual(await driver.call('echo', {}), {})
  }))

test('a crash rejects the calls under way with the last log line, and later ones at once', () =>
  withDriver(async (driver) => {
    const other = assert.rejects(driver.call('hang', {}), DriverCrashed)
    await assert.rejects(driver.call('crash', {}), /ended by exit code 3; its last log line: about to fall/)
    await other
    assert.equal(driver.alive, false)
    await assert.rejects(driver.call('echo', {}), /ended by exit code 3/)
  }))

test('a call without an answer times out and kills the process', () =>
  withDriver(async (driver) => {
    await assert.rejects(driver.call('hang', {}, { timeoutMs: 50 }), DriverTimedOut)
    await assert.rejects(driver.call('echo', {}), /killed: it did not answer hang within 50 ms/)
  }))

test('what is not an answer goes to the log', () =>
  withDriver(async (driver) => {
    assert.equal(await driver.call('garbage', {}), 'after')
    assert.match(driver.logTail(), /not json\n\{"half":\n\[1\]/)
    await assert.rejects(driver.call('noAnswer', {}), /neither result nor error/)
  }))

test('a flooding log is bounded in lines and in length', () =>
  withDriver(async (driver) => {
    assert.equal(await driver.call('flood', {}), 'flooded')
    assert.equal(await driver.call('longLog', {}), 'ok')
    // The log comes by a pipe of its own, in its own time; once the driver is closed all of it has come.
    await driver.close()
    assert.ok(driver.logTail().length < 80_000)
    assert.match(driver.logTail(), /earlier lines left out/)
  }))

test('an endless line on standard output ends the driver', () =>
  withDriver(
    (driver) => assert.rejects(driver.call('longLine', {}), /wrote a line of more than 1000000 bytes/),
    { lineBytesMax: 1_000_000 },
  ))

test('a flood without an end, on standard output or in the log, is held back and costs little memory', async () => {
  await withDriver(async (driver) => {
    const before = process.memoryUsage().rss
    let highest = before
    const watch = setInterval(() => {
      highest = Math.max(highest, process.memoryUsage().rss)
    }, 5)
    await assert.rejects(driver.call('endless', {}), /wrote a line of more than 67108864 bytes/)
    clearInterval(watch)
    assert.ok(highest - before < 300e6, `${highest - before} bytes more`)
    assert.ok(driver.logTail().length < 80_000)
  })
  await withDriver(async (driver) => {
    assert.equal(await driver.call('babble', {}), 'babbled')
    assert.ok(driver.logTail().length < 80_000)
  })
})

test('answers to nothing, answers twice and what is no text go to the log, and the right answer counts', () =>
  withDriver(async (driver) => {
    assert.equal(await driver.call('strange', {}), 'right')
    assert.deepEqual(await driver.call('echo', { still: 'there' }), { still: 'there' })
    assert.match(driver.logTail(), /twice/)
    await assert.rejects(driver.call('wrongError', {}), /answered wrongError with neither result nor error/)
    await driver.call('leave', {})
    await assert.rejects(driver.call('echo', {}), DriverCrashed)
  }))

test('what the driver started ends with it', () =>
  withDriver(async (driver) => {
    const pid = Number(await driver.call('child', {}))
    assert.ok(isAlive(pid))
    await driver.close()
    // The kernel reaps an orphan in its own time, but a killed process no longer holds the pipes that close waits for.
    assert.equal(isAlive(driver.pid), false)
  }))

test('typed calls fill in defaults, and refuse a result of the wrong shape', () =>
  withDriver(async (driver) => {
    const kafka = kafkaDriver(driver)
    const committed = await kafka.call('committed', { group: 'g', topic: 't' })
    assert.equal(committed.offset, '7')
    assert.deepEqual(JSON.parse(committed.metadata ?? ''), { group: 'g', topic: 't', partition: 0 })
    await assert.rejects(kafka.call('committed', { group: 'bad', topic: 't' }), DriverCrashed)
    await assert.rejects(kafka.call('seek', { consumer: 'c', offset: 'three' }), /offset/)
  }))

test('a driver that cannot start, ends early, keeps silent or is of another kind is refused', async () => {
  const missing: ReadyClient = { ...fakeClient(), command: ['/no/such/program'] }
  await assert.rejects(startDriver(missing), /could not be started/)
  await assert.rejects(startDriver(fakeClient('console.error("no jar"); process.exit(1)')), /no jar/)
  await assert.rejects(
    startDriver(fakeClient('setTimeout(() => {}, 60000)'), { startTimeoutMs: 100 }),
    DriverTimedOut,
  )
  await assert.rejects(startDriver(fakeClient(FAKE, { FAKE_KIND: 'pulsar' })), /is of kind pulsar/)
})

test('an aborted run ends its drivers', async () => {
  const abort = new AbortController()
  const driver = await startDriver(fakeClient(), { signal: abort.signal })
  const call = assert.rejects(driver.call('hang', {}), /stopped with the run/)
  abort.abort()
  await call
  await driver.close()
})

test('a driver that hangs ends with the process that lets it hang', async () => {
  const module = new URL('./process.js', import.meta.url).href
  const program = `
    import { startDriver } from ${JSON.stringify(module)}
    const driver = await startDriver(JSON.parse(process.env.CLIENT))
    driver.pause()
    process.stdout.write(driver.pid + '\\n')
    setInterval(() => {}, 60_000)
  `
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, CLIENT: JSON.stringify(fakeClient()) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pid = Number((await once(holder.stdout, 'data')).toString())
  assert.ok(isAlive(pid))
  holder.kill('SIGKILL')
  const deadline = Date.now() + 10_000
  while (isAlive(pid) && Date.now() < deadline) await delay(20)
  assert.equal(isAlive(pid), false)
})
