import { join } from 'node:path'
import { z } from 'zod'
import { loadRegister } from '../plan/register.js'
import { packageRoot } from '../root.js'
import { nearest, UsageError } from '../usage-error.js'
import { parseYaml, readTargetYaml, type TargetYaml } from './target-yaml.js'
import type { Profile } from './types.js'
import { isBefore } from './versions.js'
import { answerProblem } from './vocabulary.js'

const profileYaml = z.strictObject({
  name: z.string().min(1),
  description: z.string().default(''),
  answers: z.record(z.string(), z.unknown()).default({}),
  declines: z.record(z.string(), z.string().min(1)).default({}),
})

/** A target of which nothing was declared. */
export const EMPTY_PROFILE: Profile = {
  name: 'undeclared',
  description: 'No profile was given: nothing is declared.',
  answers: {},
  declines: {},
}

/** Reads a `target.yaml`'s profile. @throws UsageError of one line that names the file, the field and what is wrong */
export function readProfile(file: string): Profile {
  return profileOf(readTargetYaml(file), file)
}

/** @throws UsageError */
export function profileOf({ name, description, answers, declines }: TargetYaml, file: string): Profile {
  const profile = { name, description, answers, declines }
  const problem = problemOf(profile)
  if (problem !== null) throw new UsageError(`${file}: ${problem}`)
  return profile
}

/**
 * What the shape does not say: that ids are the register's and answers the vocabulary's, and that nobody declines what
 * makes a target conformant.
 */
function problemOf({ answers, declines }: Profile): string | null {
  const { byId } = loadRegister()
  for (const [field, ids] of Object.entries({
    answers: Object.keys(answers),
    declines: Object.keys(declines),
  })) {
    const unknown = ids.find((id) => !byId.has(id))
    if (unknown === undefined) continue
    const near = nearest(unknown, [...byId.keys()])
    return `${field}.${unknown}: there is no such requirement${near === null ? ', such as MC-6' : `; did you mean ${near}?`}`
  }
  for (const [id, answer] of Object.entries(answers)) {
    const problem = answerProblem(id, answer)
    if (problem !== null) return `answers.${id}: ${problem}`
  }
  for (const id of Object.keys(declines)) {
    const { level, certification = 'core' } = byId.get(id) ?? {}
    if (level !== 'MUST' || certification !== 'core') continue
    return `declines.${id}: a MUST of the core cannot be declined; what fails it for now goes into a list for --known-failing`
  }
  return null
}

/** What a shipped profile says of some versions only: from one on, before another. Later entries win. */
const ofVersions = z.strictObject({
  from: z.string().optional(),
  before: z.string().optional(),
  answers: profileYaml.shape.answers,
  declines: profileYaml.shape.declines,
})
const shippedYaml = profileYaml.extend({ versions: z.array(ofVersions).default([]) })

/** A profile that comes with the suite; of an original, for one of its versions. */
export function shippedProfile(name: string, version: string | null = null): Profile {
  const file = join(packageRoot, 'matrix', 'targets', 'profiles', `${name}.yaml`)
  const { versions, ...common } = shippedYaml.parse(parseYaml(file))
  const own = versions.filter(
    ({ from, before }) =>
      version !== null &&
      (from === undefined || !isBefore(version, from)) &&
      (before === undefined || isBefore(version, before)),
  )
  const profile = {
    ...common,
    answers: Object.assign({ ...common.answers }, ...own.map(({ answers }) => answers)),
    declines: Object.assign({ ...common.declines }, ...own.map(({ declines }) => declines)),
  }
  const problem = problemOf(profile)
  if (problem !== null) throw new UsageError(`${file}: ${problem}`)
  return profile
}
