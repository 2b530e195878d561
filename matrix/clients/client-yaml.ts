import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

/**
 * `client.yaml`. The driver lies beside it, by its language: `driver.mjs` (of a program of the system too), `driver.py`,
 * sources in Java, Go or Rust.
 */
const clientYaml = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  kind: z.enum(['kafka', 'pulsar', 'raw', 'pulsar-admin', 'kafka-admin', 'pulsar-kafka-wrapper']),
  language: z.enum(['node', 'python', 'java', 'go', 'rust', 'program', 'other']),
  package: z.string(),
  /** Oldest first. */
  versions: z.array(z.string()).min(1),
  /** The version that plans choose where it is not the last: the last is a milestone, or does not run everywhere. */
  default: z.string().optional(),
  quick: z.boolean(),
  /**
   * Further packages that the driver uses, exact: `name@version`, `name==version`, `group:artifact:version`.
   * `{version}` stands for the client's own version.
   */
  dependencies: z.array(z.string()).default([]),
  /** Further source files of the driver, relative to its folder (Java). */
  sources: z.array(z.string()).default([]),
  /** Features of the package to build it with; its default ones are off (Rust). */
  features: z.array(z.string()).default([]),
  /** Packages to take at the oldest version that the package allows, as it was published with, not the newest (Rust). */
  oldest: z.array(z.string()).default([]),
  /** Versions that changed what the driver's source calls: it is built with `since-<version>` from there on (Rust). */
  since: z.array(z.string()).default([]),
  /** Programs that installing needs, beyond the language's own. */
  tools: z.array(z.enum(['c++', 'make', 'pkg-config', 'protoc', 'kcat'])).default([]),
  /**
   * What starts the driver, for a client in any other language: program and arguments, `{version}` stands for the
   * client's version. What begins with `./` or `../` is relative to the folder.
   */
  command: z.array(z.string().min(1)).min(1).optional(),
  /** Lets the package's install script run (npm). */
  installScripts: z.boolean().default(false),
  /** Environment variables of that script; the user's own win. */
  installEnvironment: z.record(z.string(), z.string()).default({}),
  /**
   * Version of this client (or `*`, for every version not named) to the version of Apache Kafka or Pulsar that still
   * serves it: the newest one dropped early protocol versions.
   */
  controls: z.record(z.string(), z.string()).default({}),
  /** What to do when it cannot be installed, where the general advice is not enough. */
  remedy: z.string().optional(),
})

/** What provisioning needs to know beyond the spec. */
export type ClientYaml = z.output<typeof clientYaml>

/** @throws Error of one line that names the file and the field */
export function readClientYaml(folder: string): ClientYaml {
  const file = join(folder, 'client.yaml')
  const read = clientYaml.safeParse(parse(readFileSync(file, 'utf8')))
  if (read.success) {
    const { language, command } = read.data
    if ((language === 'other') === (command !== undefined)) return read.data
    throw new Error(`${file}: command: it belongs to language: other, and that needs one`)
  }
  const issue = read.error.issues[0]
  throw new Error(`${file}: ${issue?.path.join('.') || 'file'}: ${issue?.message ?? 'invalid'}`)
}
