import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { packageRoot } from '../root.js'
import { UsageError } from '../usage-error.js'

const originalVersions = z.strictObject({
  /** Without a version in the target's name. */
  default: z.string(),
  /** Oldest first: those that the suite has been run against. Others may be asked for. */
  versions: z.array(z.string()).min(1),
  /** By version, artifacts whose versions are held against the version's own poms. */
  pins: z.record(z.string(), z.array(z.string())).default({}),
  /** By version, poms whose versions hold for the rest. */
  boms: z.record(z.string(), z.array(z.string())).default({}),
})
const versionsYaml = z.strictObject({ kafka: originalVersions, pulsar: originalVersions })

export type OriginalVersions = z.output<typeof originalVersions>
export type OriginalName = keyof z.output<typeof versionsYaml>

let read: z.output<typeof versionsYaml> | undefined

/** Of Apache Kafka or Apache Pulsar, from `versions.yaml`. */
export function versionsOf(original: OriginalName): OriginalVersions {
  const file = join(packageRoot, 'matrix', 'targets', 'versions.yaml')
  read ??= versionsYaml.parse(parse(readFileSync(file, 'utf8')))
  return read[original]
}

const VERSION = /^\d+(\.\d+){1,3}([.-][\w.]+)?$/

/** A target's name, such as `kafka@3.9.1`, in its two halves; no version: the default one. @throws UsageError */
export function versionIn(original: OriginalName, version: string | null): string {
  const known = versionsOf(original)
  if (version === null) return known.default
  if (VERSION.test(version)) return version
  const example = known.versions.join(', ')
  throw new UsageError(
    `${version || 'nothing'} is no version of ${original}; there are ${example} and others`,
  )
}

/** Negative, 0 or positive, as for sort. A milestone or candidate comes before its release. */
export function compareVersions(a: string, b: string): number {
  const [numbersA, restA] = partsOf(a)
  const [numbersB, restB] = partsOf(b)
  for (let at = 0; at < Math.max(numbersA.length, numbersB.length); at++) {
    const difference = (numbersA[at] ?? 0) - (numbersB[at] ?? 0)
    if (difference !== 0) return difference
  }
  if (restA === restB) return 0
  if (restA === '' || restB === '') return restA === '' ? 1 : -1
  return restA < restB ? -1 : 1
}

export const isBefore = (version: string, limit: string): boolean => compareVersions(version, limit) < 0

function partsOf(version: string): [number[], string] {
  const [, numbers = '', rest = ''] = /^([\d.]*\d)[.-]?(.*)$/.exec(version) ?? []
  return [numbers.split('.').map(Number), rest]
}
