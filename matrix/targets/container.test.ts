import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, cpSync, existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { packageRoot } from '../root.js'
import { connectEngine, type Engine, GUARD_LABEL } from './engine.js'
import { containerKind } from './index.js'
import { provisionJavaServer } from './java-server.js'
import { KAFKA_JARS } from './kafka.js'
import { askMetadata } from './kafka-answers.js'

/*
 * Targets in containers, on a real engine: that of this machine, else one that the test starts and stops (as root, where
 * dockerd is installed). The image is built here, of this machine's Java and Apache Kafka: nothing is pulled.
 */

const IMAGE = 'kop-conformance-test-kafka:local'
const ENGINE_WITHIN_MS = 30_000

let folder = ''
let missing: string | null = null
let daemon: ChildProcess | null = null
let engine: Engine

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kop-conformance-container-test-'))
  missing = await haveEngine()
  if (missing === null) await buildImage()
  else console.log(`no container engine: ${missing}`)
})
after(async () => {
  if (missing === null) await engine.removeImage(IMAGE)
  if (daemon !== null) {
    const ended = once(daemon, 'exit')
    daemon.kill('SIGTERM')
    await ended
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** Why there is none; null: `engine` is one. */
async function haveEngine(): Promise<string | null> {
  if (process.env.DOCKER_HOST === undefined && !existsSync('/var/run/docker.sock')) {
    const why = await startDaemon()
    if (why !== null) return why
  }
  try {
    engine = await connectEngine()
    return null
  } catch (error) {
    return (error as Error).message
  }
}

async function startDaemon(): Promise<string | null> {
  const program = ['/usr/bin/dockerd', '/usr/sbin/dockerd', '/usr/local/bin/dockerd'].find(existsSync)
  if (program === undefined) return 'none runs, and dockerd is not installed'
  if (process.getuid?.() !== 0) return 'none runs, and only root may start one'
  const socket = join(folder, 'docker.sock')
  const options = [
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ...['-H', `unix://${socket}`, '--pidfile', join(folder, 'pid'), '--group', 'root'],
    ...['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    ...['--storage-driver', 'overlay2', '--log-level', 'warn'],
  ]
  daemon = spawn(program, options, { stdio: 'ignore' })
  const deadline = Date.now() + ENGINE_WITHIN_MS
  while (!existsSync(socket)) {
    if (daemon.exitCode !== null || Date.now() > deadline) {
      daemon.kill('SIGKILL')
      daemon = null
      return 'dockerd does not start here'
    }
    await delay(100)
  }
  process.env.DOCKER_HOST = `unix://${socket}`
  return null
}

/** A root file system of a shell, Java and the broker's jars, with the libraries that both programs are linked to. */
async function buildImage(): Promise<void> {
  const { java, classPath } = await provisionJavaServer(KAFKA_JARS, {})
  const root = join(folder, 'root')
  const home = dirname(dirname(realpathSync(java)))
  const isNeeded = (path: string) => !/\/(jmods|include|man|src\.zip|ct\.sym)$/.test(path)
  cpSync(home, join(root, 'java'), { recursive: true, dereference: true, filter: isNeeded })
  for (const jar of classPath.split(':')) cpSync(jar, join(root, 'jars', basename(jar)))
  const programs = ['/bin/sh', join(home, 'bin', 'java'), ...libraries(join(home, 'lib'))]
  for (const file of await linkedTo(programs)) cpSync(file, join(root, file), { dereference: true })
  mkdirSync(join(root, 'bin'), { recursive: true })
  cpSync('/bin/sh', join(root, 'bin', 'sh'), { dereference: true })
  mkdirSync(join(root, 'tmp'))
  mkdirSync(join(root, 'etc'))
  // Without this the C library asks for `localhost` by DNS first.
  await writeFile(join(root, 'etc', 'nsswitch.conf'), 'hosts: files dns\n')
  const tar = spawn('tar', ['-c', '-C', root, '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
  await engine.importImage(tar.stdout, IMAGE)
}

function libraries(folderOfThem: string): string[] {
  return readdirSync(folderOfThem, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.so'))
    .map((name) => join(folderOfThem, name))
}

async function linkedTo(files: readonly string[]): Promise<string[]> {
  const { stdout } = await execa('ldd', files, { reject: false })
  const paths = stdout.match(/(?<=\s)\/[^\s:]+(?= \()/g) ?? []
  return [...new Set(paths)].filter((path) => {
    try {
      accessSync(path)
      return !path.includes('/jvm/')
    } catch {
      return false
    }
  })
}

const SETTINGS = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093
advertised.listeners=PLAINTEXT://127.0.0.1:{port.kafka}
log.dirs=/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
`

async function targetFile(): Promise<string> {
  const java = "/java/bin/java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/jars/*'"
  const format = `${java} kafka.tools.StorageTool format --ignore-formatted -t MkU3OEVBNTcwNTJENDM2Qg -c /server.properties`
  const container = {
    image: IMAGE,
    ports: { kafka: 9092 },
    entrypoint: ['/bin/sh', '-c'],
    command: [`${format} && exec ${java} kafka.Kafka /server.properties`],
    files: { '/server.properties': SETTINGS },
    keepsDataOverRestart: true,
    version: '4.1.0',
  }
  const answers = { 'PH-3': { listedButRefused: { Produce: [0, 1, 2] } }, 'ID-3': 'index' }
  const file = join(folder, 'target.yaml')
  await writeFile(file, JSON.stringify({ name: 'kafka-here', answers, container }))
  return file
}

function skipWithoutEngine(t: TestContext): boolean {
  if (missing !== null) t.skip(`no container engine: ${missing}`)
  return missing !== null
}

test('real Apache Kafka in a container passes scenarios, also one that kills it, and is gone after the run', async (t) => {
  if (skipWithoutEngine(t)) return
  const out = join(folder, 'out')
  const cli = join(packageRoot, 'dist', 'matrix', 'cli.js')
  const only = 'produce/idempotence/a-repeated-batch-is-known-after-a-restart,PH-3,MC-1'
  const args = ['--target', 'container', '--profile', await targetFile(), '--only', only]
  const run = await execa(
    process.execPath,
    [cli, 'run', ...args, '--clients', 'raw', '--jobs', '1', '--control', 'never', '--out', out],
    {
      reject: false,
      all: true,
    },
  )
  assert.equal(run.exitCode, 0, run.all)
  const { summary, target } = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'))
  assert.equal(target.kind, 'container')
  assert.ok(summary.verdicts.passed > 10, run.all)
  assert.deepEqual(await engine.marked(GUARD_LABEL), [])
})

test('a container keeps its port and data when it is killed, and does not outlive a run that is', async (t) => {
  if (skipWithoutEngine(t)) return
  const script = `
    import { containerKind } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)}
    const target = await containerKind(${JSON.stringify(await targetFile())}).start({})
    await target.kill()
    await target.start()
    console.log(target.endpoints.kafka)
    setInterval(() => {}, 1000)`
  const run = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(run.stdout, 'data')) as [Buffer]
  const port = Number(line.toString().trim().split(':')[1])
  assert.equal((await askMetadata(port))?.brokers, 1)
  assert.equal((await engine.marked(GUARD_LABEL)).length, 1)
  run.kill('SIGKILL')
  const deadline = Date.now() + 20_000
  while ((await engine.marked(GUARD_LABEL)).length > 0 && Date.now() < deadline) await delay(100)
  assert.deepEqual(await engine.marked(GUARD_LABEL), [])
})

test('an image that ends, or is not there, is told in one line', async (t) => {
  if (skipWithoutEngine(t)) return
  const file = await targetFile()
  const yaml = JSON.parse(await readFile(file, 'utf8'))
  const ends = {
    ...yaml.container,
    command: ['/java/bin/java -version; /java/bin/java -version; echo no such disk; exit 3'],
  }
  await writeFile(file, JSON.stringify({ ...yaml, container: ends }))
  await assert.rejects(
    containerKind(file).start({}),
    /local ended \(code 3\); its last log line: no such disk/,
  )
  await writeFile(file, JSON.stringify({ ...yaml, container: { ...ends, image: 'localhost:1/none:1' } }))
  await assert.rejects(
    containerKind(file).start({}),
    /^Error: localhost:1\/none:1 cannot be started: [^\n]*$/,
  )
  assert.deepEqual(await engine.marked(GUARD_LABEL), [])
})
