import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type JavaServer, launchJava, propertiesOf } from './java-server.js'
import { zooKeeperSettings } from './kafka-settings.js'
import type { Running } from './managed.js'

const ANSWER_TIMEOUT_MS = 2_000
const LOOK_AGAIN_MS = 100
const SESSIONS_END_WITHIN_MS = 30_000

export interface ZooKeeperLaunch {
  readonly server: JavaServer
  readonly jvmOptions: readonly string[]
  readonly dataDir: string
  readonly port: number
  readonly signal: AbortSignal | undefined
}

/** The ZooKeeper that comes with an older Apache Kafka; resolves when no earlier broker is registered any more. */
export async function launchZooKeeper({
  server,
  jvmOptions,
  dataDir,
  port,
  signal,
}: ZooKeeperLaunch): Promise<Running> {
  const configFile = join(dataDir, 'zoo.cfg')
  await mkdir(join(dataDir, 'zookeeper'), { recursive: true })
  await writeFile(configFile, propertiesOf(zooKeeperSettings(dataDir, port)))
  const running = await launchJava({
    name: 'ZooKeeper',
    server: { ...server, classArchive: join(dirname(server.classArchive), 'zookeeper.jsa') },
    jvmOptions,
    mainAndArgs: ['org.apache.zookeeper.server.quorum.QuorumPeerMain', configFile],
    dataDir,
    logFile: join(dataDir, 'zookeeper.log'),
    signal,
    isReady: async () => (await say(port, 'srvr')).includes('Mode:'),
  })
  try {
    await untilNobodyIsRegistered(port, signal)
    return running
  } catch (error) {
    await running.kill()
    throw error
  }
}

/** A broker that was killed stays registered until its session ends; another one of its id would be refused. */
async function untilNobodyIsRegistered(port: number, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + SESSIONS_END_WITHIN_MS
  while ((await say(port, 'dump')).includes('/brokers/ids/')) {
    if (Date.now() > deadline) throw new Error('ZooKeeper does not forget the broker that was killed')
    await delay(LOOK_AGAIN_MS, undefined, signal === undefined ? {} : { signal })
  }
}

/** The answer to one of ZooKeeper's commands of four letters; empty: nobody answers. */
async function say(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  try {
    socket.write(command)
    await once(socket, 'end', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  } catch {
    return ''
  } finally {
    socket.destroy()
  }
  return Buffer.concat(chunks).toString()
}
