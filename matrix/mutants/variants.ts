import { join } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import { packageRoot } from '../root.js'
import { nearest, UsageError } from '../usage-error.js'

/** A wrong variant of the reference broker, as its own program lists it. */
const variant = z.object({ name: z.string(), breaks: z.array(z.string()).min(1), description: z.string() })
export type Variant = z.output<typeof variant>

/** The program that is the reference, with the rule broken that KOP_CONFORMANCE_MUTANT names. */
export const variantProgram = join(packageRoot, 'dist', 'reference', 'mutants', 'main.js')

export async function loadVariants(): Promise<readonly Variant[]> {
  const { stdout } = await execa(process.execPath, [variantProgram, '--list'])
  return z.array(variant).parse(JSON.parse(stdout))
}

/** @param only names of those that are wanted; all when there are none. */
export function chosenVariants(all: readonly Variant[], only: readonly string[]): readonly Variant[] {
  const names = all.map(({ name }) => name)
  for (const name of only) {
    if (names.includes(name)) continue
    const near = nearest(name, names)
    const hint = near === null ? `there are ${names.join(', ')}` : `did you mean ${near}?`
    throw new UsageError(`--only ${name}: there is no such variant; ${hint}`)
  }
  return only.length === 0 ? all : all.filter(({ name }) => only.includes(name))
}
