import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findTool, Refusal, runTool } from './tools.js'

const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'

/** What Maven copies: artifacts as `group:artifact:version`, and the poms whose versions hold for the rest. */
export interface JarSet {
  /** For messages and the pom's own name, e.g. `kafka-4.1.0`. */
  readonly name: string
  readonly artifacts: readonly string[]
  readonly boms?: readonly string[]
  /** Artifacts that have this version whatever poms name. */
  readonly pins?: readonly string[]
}

/**
 * Copies the jars of `set` with all that they need at run time into `folder`, by one run of Maven over the user's own
 * settings and local repository. Answers the jars' paths, sorted.
 *
 * @throws Refusal
 */
export async function copyJars(set: JarSet, folder: string, signal?: AbortSignal): Promise<string[]> {
  const maven = await findTool('maven')
  await mkdir(folder, { recursive: true })
  const pom = join(folder, 'pom.xml')
  await writeFile(pom, pomOf(set))
  const goal = `${DEPENDENCY_PLUGIN}:copy-dependencies`
  const local = process.env.KOP_CONFORMANCE_MAVEN_REPOSITORY
  const options = local ? [`-Dmaven.repo.local=${local}`] : []
  const args = [
    '-q',
    '-B',
    '-ntp',
    '-f',
    pom,
    goal,
    '-DincludeScope=runtime',
    '-DoutputDirectory=.',
    ...options,
  ]
  await runTool(maven, args, {
    cwd: folder,
    signal,
    // The default of five artifacts at a time leaves a fast line idle.
    env: {
      MAVEN_OPTS: `-XX:TieredStopAtLevel=1 -Dmaven.artifact.threads=16 ${process.env.MAVEN_OPTS ?? ''}`,
    },
    failure: `Maven could not fetch ${set.name}`,
    remedy: `see why: mvn -f ${pom} dependency:resolve`,
  })
  const jars = await jarsIn(folder)
  if (jars.length === 0) throw new Refusal(`Maven copied no jars of ${set.name}`, `look into ${folder}`)
  return jars
}

/** The jars of a folder, sorted, so that class paths (and archives made for them) are always the same. */
export async function jarsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => name.endsWith('.jar'))
    .sort()
    .map((name) => join(folder, name))
}

/**
 * Poms of some artifacts name repositories of their projects that answer slowly or no more. A repository of the own pom
 * under the same id wins over theirs, and this one is switched off.
 */
const REPOSITORIES_SWITCHED_OFF = [
  'apache.snapshots',
  'apache.snapshots.https',
  'bintray-yahoo-maven',
  'central-snapshots',
  'confluent',
  'datasketches',
  'dl.google.com',
  'jcenter',
  'jitpack.io',
  'maven-google',
  'oracle.releases',
  'ossrh',
  'ow2-snapshot',
  'redhat',
  'sonatype-nexus-snapshots',
  'spring-milestones',
]

function pomOf(set: JarSet): string {
  const dependencies = set.artifacts.map((artifact) => dependency(artifact, ''))
  const pins = (set.pins ?? []).map((pin) => dependency(pin, ''))
  const boms = (set.boms ?? []).map((bom) => dependency(bom, '<type>pom</type><scope>import</scope>'))
  const repositories = REPOSITORIES_SWITCHED_OFF.map(
    (id) =>
      `<repository><id>${id}</id><url>file:///switched-off</url>` +
      '<releases><enabled>false</enabled></releases><snapshots><enabled>false</enabled></snapshots></repository>',
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kop-conformance</groupId><artifactId>${set.name}</artifactId><version>1</version><packaging>pom</packaging>
  <repositories>${repositories.join('\n')}</repositories>
  <dependencyManagement><dependencies>${[...pins, ...boms].join('\n')}</dependencies></dependencyManagement>
  <dependencies>${dependencies.join('\n')}</dependencies>
</project>
`
}

function dependency(coordinates: string, rest: string): string {
  const [group, artifact, version] = coordinates.split(':')
  if (!group || !artifact || !version) throw new Error(`not group:artifact:version: ${coordinates}`)
  return (
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>` +
    `<version>${version}</version>${rest}</dependency>`
  )
}
