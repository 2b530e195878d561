import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, delimiter, dirname, join } from 'node:path'
import { digestOf } from './build-once.js'
import { copyJars, jarsIn } from './maven.js'
import type { ProvisionContext } from './provision-context.js'
import { rehearsals, rehearse } from './rehearsal.js'
import { findTool, runTool } from './tools.js'
import type { ReadyClient } from './types.js'
import { fits } from './version-files.js'

/** For the drivers' own lines. It is the only Jackson there is then: it must not be older than any library's. */
const JACKSON = '2.21.3'
const JACKSON_ARTIFACTS = ['annotations:2.21', `core:${JACKSON}`, `databind:${JACKSON}`].map(
  (part) => `com.fasterxml.jackson.core:jackson-${part}`,
)
/** A driver lives for a run of a minute: what counts is how soon it answers. */
const JVM_OPTIONS = [
  ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx512m'],
  // What the machine says of archives would come between the answers.
  ...['-Xlog:disable', '-Xlog:all=error:stderr'],
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
]

const DRIVER_JAR = 'driver.jar'
const ARCHIVE = 'classes.jsa'

/** One source holds the driver of a kind, under the kind's name. */
const MAIN_CLASSES: Record<ReadyClient['kind'], string> = {
  kafka: 'KafkaDriver',
  pulsar: 'PulsarDriver',
  raw: 'RawDriver',
  'pulsar-admin': 'PulsarAdminDriver',
  'kafka-admin': 'KafkaAdminDriver',
  'pulsar-kafka-wrapper': 'WrapperDriver',
}

/** Jars by Maven, once a version; the driver compiled against them, once for each state of its source. */
export async function provisionJava(context: ProvisionContext): Promise<ReadyClient> {
  const { spec, version, yaml, signal } = context
  const javac = await findTool('java')
  const java = join(dirname(javac), 'java')
  const jars = await context.build(
    `${context.packages}-jackson-${JACKSON}-jars`,
    `fetching ${spec.package} ${version} with Maven`,
    async (unfinished) => {
      const dependencies = yaml.dependencies.map((each) => each.replace('{version}', version))
      const artifacts = [`${spec.package}:${version}`, ...JACKSON_ARTIFACTS, ...dependencies]
      await copyJars({ name: `${spec.name}-${version}`, artifacts }, unfinished, signal)
    },
  )
  const sources = [
    join(spec.folder, '..', 'lib', 'Driver.java'),
    ...yaml.sources.map((file) => join(spec.folder, file)),
    ...(await javaSources(spec.folder)),
  ].filter((file) => fits(basename(file), version))
  const library = ownFirst(await jarsIn(jars), `${spec.package.split(':')[1]}-${version}.jar`)
  const digest = await digestOf(sources)
  const driver = await context.build(
    `${spec.name}-${version}-driver-${digest}`,
    `compiling the driver of ${spec.name} ${version}`,
    async (unfinished) => {
      const classes = join(unfinished, 'classes')
      const options = ['-nowarn', '-proc:none', '-cp', library.join(delimiter), '-d', classes]
      const failure = `the driver of ${spec.name} does not compile against ${version}`
      const remedy = `mend ${spec.folder}`
      await runTool(javac, [...options, ...sources], { cwd: unfinished, signal, failure, remedy })
      // An archive of classes takes none from a folder.
      const jar = ['--create', '--file', DRIVER_JAR, '-C', classes, '.']
      await runTool(join(dirname(javac), 'jar'), jar, { cwd: unfinished, signal, failure, remedy })
    },
  )
  const classPath = [...library, join(driver, DRIVER_JAR)].join(delimiter)
  const run = ['-cp', classPath, MAIN_CLASSES[spec.kind]]
  const archive = await classArchive(context, digest, java, run)
  return {
    name: spec.name,
    version,
    kind: spec.kind,
    command: [java, ...archive, ...JVM_OPTIONS, ...run],
    env: {},
  }
}

/**
 * Classes that were loaded once are mapped, not loaded and verified again: a driver answers in half the time. A virtual
 * machine that cannot make an archive (before Java 13) goes without.
 */
async function classArchive(
  context: ProvisionContext,
  digest: string,
  java: string,
  run: readonly string[],
): Promise<string[]> {
  const { spec, version, signal } = context
  const machine = createHash('sha256')
    .update(`${java} ${(await stat(java)).mtimeMs}`)
    .digest('hex')
  const folder = await context.build(
    `${spec.name}-${version}-archive-${digest}-${machine.slice(0, 8)}`,
    `archiving the classes of ${spec.name} ${version}`,
    async (unfinished) => {
      const options = [`-XX:ArchiveClassesAtExit=${join(unfinished, ARCHIVE)}`, ...JVM_OPTIONS]
      await rehearse([java, ...options, ...run], rehearsals[spec.kind], signal)
    },
  )
  const archive = join(folder, ARCHIVE)
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []
}

/** As Maven has it: some packages hold classes that another jar has too, in another form. */
function ownFirst(jars: readonly string[], own: string): string[] {
  const isOwn = (jar: string) => basename(jar) === own
  return [...jars.filter(isOwn), ...jars.filter((jar) => !isOwn(jar))]
}

async function javaSources(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => name.endsWith('.java'))
    .sort()
    .map((name) => join(folder, name))
}
