import { readdir } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { digestOf } from './build-once.js'
import { copyJars, jarsIn } from './maven.js'
import type { ProvisionContext } from './provision-context.js'
import { findTool, runTool } from './tools.js'
import type { ReadyClient } from './types.js'

const JACKSON = ['annotations', 'core', 'databind'].map(
  (part) => `com.fasterxml.jackson.core:jackson-${part}:2.19.2`,
)
/** A driver lives for a run of a minute: what counts is how soon it answers. */
const JVM_OPTIONS = [
  ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx512m'],
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
]

/** One source holds the driver of a kind, under the kind's name. */
const MAIN_CLASSES: Record<ReadyClient['kind'], string> = {
  kafka: 'KafkaDriver',
  pulsar: 'PulsarDriver',
  raw: 'RawDriver',
  'pulsar-admin': 'PulsarAdminDriver',
  'kafka-admin': 'KafkaAdminDriver',
}

/** Jars by Maven, once a version; the driver compiled against them, once for each state of its source. */
export async function provisionJava(context: ProvisionContext): Promise<ReadyClient> {
  const { spec, version, yaml, signal } = context
  const javac = await findTool('java')
  const java = join(dirname(javac), 'java')
  const jars = await context.build(
    `${spec.name}-${version}-jars`,
    `fetching ${spec.package} ${version} with Maven`,
    async (unfinished) => {
      const dependencies = yaml.dependencies.map((each) => each.replace('{version}', version))
      const artifacts = [`${spec.package}:${version}`, ...JACKSON, ...dependencies]
      await copyJars({ name: `${spec.name}-${version}`, artifacts }, unfinished, signal)
    },
  )
  const sources = [
    join(spec.folder, '..', 'lib', 'Driver.java'),
    ...yaml.sources.map((file) => join(spec.folder, file)),
    ...(await javaSources(spec.folder)),
  ]
  const classPath = (await jarsIn(jars)).join(delimiter)
  const classes = await context.build(
    `${spec.name}-${version}-classes-${await digestOf(sources)}`,
    `compiling the driver of ${spec.name} ${version}`,
    async (unfinished) => {
      await runTool(javac, ['-nowarn', '-proc:none', '-cp', classPath, '-d', unfinished, ...sources], {
        cwd: unfinished,
        signal,
        failure: `the driver of ${spec.name} does not compile against ${version}`,
        remedy: `mend ${spec.folder}`,
      })
    },
  )
  return {
    name: spec.name,
    version,
    kind: spec.kind,
    command: [java, ...JVM_OPTIONS, '-cp', `${classPath}${delimiter}${classes}`, MAIN_CLASSES[spec.kind]],
    env: {},
  }
}

async function javaSources(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => name.endsWith('.java'))
    .sort()
    .map((name) => join(folder, name))
}
