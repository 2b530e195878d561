import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { type ClientYaml, readClientYaml } from './client-yaml.js'
import { libFolder } from './paths.js'
import type { ClientSpec } from './types.js'

/** Raised when the smokes ask for more: what an earlier one proved is not proved any more. */
const SMOKES = 1

/** Files of `lib/` that drivers of a language may share. */
const SHARED: Record<ClientSpec['language'], string> = {
  node: '.mjs',
  program: '.mjs',
  python: '.py',
  java: '.java',
  go: '.go',
  rust: '.rs',
  other: '',
}

/** Not of the driver: what it is offered in, what is known of it, and what it was built to. */
const NOT_OF_DRIVER = new Set(['client.yaml', 'known-failing.yaml', 'README.md', 'node_modules', 'target'])

/**
 * What a proof stands for, in hex: the driver's files, those that it may share, how it is installed, and its version. It
 * is the same in another folder. `lib`: where the shared files lie.
 */
export function driverDigest(spec: ClientSpec, version: string, lib = libFolder): string {
  const yaml = readClientYaml(spec.folder)
  const hash = createHash('sha256').update(JSON.stringify([SMOKES, version, installedAs(yaml)]))
  for (const [name, file] of filesOf(spec, yaml, lib)) {
    hash.update(`\0${name}\0`).update(readFileSync(file))
  }
  return hash.digest('hex').slice(0, 32)
}

/** What of client.yaml changes the process that runs; further versions do not. */
function installedAs(yaml: ClientYaml) {
  const { versions, default: chosen, quick, controls, remedy, name, ...rest } = yaml
  return rest
}

/** Names that do not depend on where the folders lie, in order, and the files' paths. */
function filesOf(spec: ClientSpec, yaml: ClientYaml, lib: string): [string, string][] {
  const own = filesUnder(spec.folder).map((file): [string, string] => [relative(spec.folder, file), file])
  const extension = SHARED[spec.language]
  const shared = extension === '' || !existsSync(lib) ? [] : readdirSync(lib)
  const files = [
    ...own,
    ...shared
      .filter((name) => name.endsWith(extension))
      .map((name): [string, string] => [join('..', 'lib', name), join(lib, name)]),
    ...yaml.sources.map((source): [string, string] => [source, join(spec.folder, source)]),
  ]
  return files.map(([name, file]): [string, string] => [name.split(sep).join('/'), file]).sort(byName)
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OF_DRIVER.has(entry.name) || basename(entry.name).startsWith('.')) return []
    if (entry.name.startsWith('__pycache__')) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesUnder(path) : [path]
  })
}

const byName = ([a]: [string, string], [b]: [string, string]) => (a < b ? -1 : a > b ? 1 : 0)
