import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { freePorts, tailOf } from './places.js'
import { Server, untilReady } from './server.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kop-conformance-server-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const STUBBORN = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)"
const GENTLE = "process.on('SIGTERM', () => process.exit(3)); console.log('up'); setInterval(() => {}, 1000)"
const isUp = async () => (await tailOf(join(folder, 'log'))).includes('up')

async function start(script: string): Promise<Server> {
  const logFile = join(folder, 'log')
  const server = await Server.start({ program: process.execPath, args: ['-e', script], cwd: folder, logFile })
  await untilReady(server, isUp, { name: 'it', timeoutMs: 10_000, logTail: () => tailOf(logFile) })
  return server
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a server stops in order, and tells how it ended', async () => {
  const server = await start(GENTLE)
  assert.equal(server.exit, null)
  await server.stop(10_000)
  assert.equal(server.exit, 'code 3')
  assert.equal(isAlive(server.pid), false)
})

test('one that does not stop in time is killed', async () => {
  const server = await start(STUBBORN)
  await server.stop(50)
  assert.equal(server.exit, 'SIGKILL')
  assert.equal(isAlive(server.pid), false)
})

test('one that ends before it serves is an error with its last words', async () => {
  const logFile = join(folder, 'log')
  const command = { program: process.execPath, args: ['-e', 'console.log("port in use"); process.exit(1)'] }
  const server = await Server.start({ ...command, cwd: folder, logFile })
  const waiting = untilReady(server, async () => false, {
    name: 'it',
    timeoutMs: 10_000,
    logTail: () => tailOf(logFile),
  })
  await assert.rejects(waiting, /it ended \(code 1\); its last log line: port in use/)
})

test('a program that is not there is an error', async () => {
  const starting = Server.start({
    program: join(folder, 'none'),
    args: [],
    cwd: folder,
    logFile: join(folder, 'log'),
  })
  await assert.rejects(starting, /could not be started/)
})

test('a server and its data do not outlive a run that is killed', async () => {
  const data = join(folder, 'data')
  await mkdir(data)
  const run = `
    import { Server } from ${JSON.stringify(new URL('./server.js', import.meta.url).href)}
    const server = await Server.start({ program: process.execPath, args: ['-e', ${JSON.stringify(STUBBORN)}],
      cwd: ${JSON.stringify(folder)}, logFile: ${JSON.stringify(join(folder, 'log'))}, removeWhenOrphaned: ${JSON.stringify(data)} })
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', run], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  assert.equal(isAlive(pid), true)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  const deadline = Date.now() + 10_000
  while ((isAlive(pid) || existsSync(data)) && Date.now() < deadline) await new Promise(setImmediate)
  assert.equal(isAlive(pid), false)
  assert.equal(existsSync(data), false)
})

test('free ports differ, and lie below those of outgoing connections', async () => {
  const ports = await freePorts(20)
  assert.equal(new Set(ports).size, 20)
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_000))
})
