import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { packageRoot } from '../root.js'
import { UsageError } from '../usage-error.js'
import type { Profile } from './types.js'

const requirementId = z.string().regex(/^[A-Z]{2}-\d+$/, 'is no requirement id, such as MC-6')

const profileYaml = z.strictObject({
  name: z.string().min(1),
  description: z.string().default(''),
  answers: z.record(requirementId, z.unknown()).default({}),
  declines: z.record(requirementId, z.string()).default({}),
})

/** A target of which nothing was declared. */
export const EMPTY_PROFILE: Profile = {
  name: 'undeclared',
  description: 'No profile was given: nothing is declared.',
  answers: {},
  declines: {},
}

/** Reads a profile. @throws UsageError of one line that names the file, the field and what is wrong */
export function readProfile(file: string): Profile {
  const read = profileYaml.safeParse(parseYaml(file))
  if (read.success) return read.data
  const issue = read.error.issues[0]
  throw new UsageError(`${file}: ${issue?.path.join('.') || 'profile'}: ${issue?.message ?? 'invalid'}`)
}

/** A profile that comes with the suite. */
export function shippedProfile(name: string): Profile {
  return readProfile(join(packageRoot, 'matrix', 'targets', 'profiles', `${name}.yaml`))
}

function parseYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new UsageError(`${file}: cannot be read as YAML: ${reason}`)
  }
}
