import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { buildOnce, isComplete } from '../clients/build-once.js'
import { copyJars, type JarSet, jarsIn } from '../clients/maven.js'
import { cacheFolder } from '../clients/paths.js'
import { findTool } from '../clients/tools.js'
import type { Running } from './managed.js'
import { tailOf } from './places.js'
import { Server, untilReady } from './server.js'
import type { StartOptions } from './types.js'

const READY_TIMEOUT_MS = 90_000
/** Laying out the classes takes seconds, on a busy machine many. */
const ARCHIVE_GRACE_MS = 90_000

/** A server of jars from Maven, ready to be started: the program and its class path. */
export interface JavaServer {
  readonly java: string
  readonly classPath: string
  /** Classes laid out for memory, which halves the time to start. Made when a server first stops in order. */
  readonly classArchive: string
}

/** Fetches the jars once. @throws Refusal when there is no Java, no Maven, or no network */
export async function provisionJavaServer(set: JarSet, options: StartOptions): Promise<JavaServer> {
  const java = join(dirname(await findTool('java')), 'java')
  const folder = join(cacheFolder(), 'servers', set.name)
  if (!(await isComplete(folder))) {
    options.onProgress?.(`downloading ${set.name}`)
    await buildOnce(
      folder,
      async (unfinished) => void (await copyJars(set, unfinished, options.signal)),
      options.signal,
    )
  }
  const classPath = (await jarsIn(folder)).join(delimiter)
  return { java, classPath, classArchive: join(folder, 'classes.jsa') }
}

export interface JavaLaunch {
  readonly name: string
  readonly server: JavaServer
  readonly jvmOptions: readonly string[]
  readonly mainAndArgs: readonly string[]
  readonly dataDir: string
  readonly logFile: string
  readonly signal?: AbortSignal | undefined
  isReady(): Promise<boolean>
}

/** Starts it and waits until it serves. */
export async function launchJava(launch: JavaLaunch): Promise<Running> {
  const { java, classPath, classArchive } = launch.server
  const fresh = `${classArchive}.${randomBytes(4).toString('hex')}`
  const hasArchive = existsSync(classArchive)
  const archive = hasArchive ? `-XX:SharedArchiveFile=${classArchive}` : `-XX:ArchiveClassesAtExit=${fresh}`
  const server = await Server.start({
    program: java,
    args: [
      '-Xshare:auto',
      '-Xlog:cds=off',
      '-Xlog:cds+dynamic=off',
      archive,
      ...launch.jvmOptions,
      '-cp',
      classPath,
      ...launch.mainAndArgs,
    ],
    cwd: launch.dataDir,
    logFile: launch.logFile,
    removeWhenOrphaned: launch.dataDir,
  })
  await untilReady(server, launch.isReady, {
    name: launch.name,
    timeoutMs: READY_TIMEOUT_MS,
    signal: launch.signal,
    logTail: () => tailOf(launch.logFile),
  })
  return {
    kill: () => server.kill(),
    async stop(graceMs) {
      await server.stop(hasArchive ? graceMs : Math.max(graceMs, ARCHIVE_GRACE_MS))
      if (!hasArchive) await keepArchive(fresh, classArchive)
    },
  }
}

/** The virtual machine writes the archive when it ends in order; a killed one leaves none, or half a file. */
async function keepArchive(fresh: string, classArchive: string): Promise<void> {
  if (existsSync(fresh)) await rename(fresh, classArchive)
  await rm(fresh, { force: true })
}

/** Lines of a properties file. */
export function propertiesOf(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
