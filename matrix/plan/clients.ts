import type { ClientSpec } from '../clients/types.js'
import { nearest, oneOf, UsageError } from '../usage-error.js'

export interface ChosenClient {
  readonly spec: ClientSpec
  readonly version: string
  /** Named by the user: not having it fails the run. */
  readonly named: boolean
}

/**
 * What `--clients` means: `quick`, `all` (each at its newest known version), `every` (each at every known version), or a
 * list of `name`, `name@version`, `name@*` and `name@2.*` (the known versions of that form). Any version may be asked
 * for, a known one or not.
 * @throws UsageError for a name that no client has
 */
export function chooseClients(text: string, specs: readonly ClientSpec[]): ChosenClient[] {
  const offered = specs
  if (text === 'all' || text === 'quick') {
    return offered
      .filter((spec) => text === 'all' || spec.quick)
      .map((spec) => ({ spec, version: newest(spec), named: false }))
  }
  if (text === 'every') {
    return offered.flatMap((spec) => spec.versions.map((version) => ({ spec, version, named: false })))
  }
  const chosen = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .flatMap((word) => oneChoice(word, offered))
  if (chosen.length === 0) {
    throw new UsageError(`--clients is empty: give quick, all, every, or names (${namesOf(offered)})`)
  }
  return uniqueChoices(chosen)
}

function oneChoice(word: string, specs: readonly ClientSpec[]): ChosenClient[] {
  const at = word.lastIndexOf('@')
  const name = at > 0 ? word.slice(0, at) : word
  const version = at > 0 ? word.slice(at + 1) : null
  const spec = specs.find((candidate) => candidate.name === name)
  if (spec === undefined) throw new UsageError(unknownClient(name, specs))
  if (version === '') throw new UsageError(`--clients ${word}: a version is missing after @`)
  if (version?.endsWith('*')) {
    const beginning = version.slice(0, -1)
    const known = spec.versions.filter((each) => each.startsWith(beginning))
    if (known.length === 0) {
      throw new UsageError(
        `--clients ${word}: no known version is like that; there are ${oneOf(spec.versions)}`,
      )
    }
    return known.map((each) => ({ spec, version: each, named: true }))
  }
  return [{ spec, version: version ?? newest(spec), named: true }]
}

function unknownClient(name: string, specs: readonly ClientSpec[]): string {
  const near = nearest(
    name,
    specs.map((spec) => spec.name),
  )
  const hint = near === null ? `there are ${namesOf(specs)}` : `did you mean ${near}?`
  return `--clients ${name}: no such client; ${hint}`
}

function namesOf(specs: readonly ClientSpec[]): string {
  return oneOf(specs.map((spec) => spec.name))
}

function newest(spec: ClientSpec): string {
  return spec.versions.at(-1) ?? 'unknown'
}

function uniqueChoices(chosen: readonly ChosenClient[]): ChosenClient[] {
  const byTitle = new Map(chosen.map((choice) => [`${choice.spec.name}@${choice.version}`, choice]))
  return [...byTitle.values()]
}
