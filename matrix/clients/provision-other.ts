import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ProvisionContext } from './provision-context.js'
import { findProgram, Refusal } from './tools.js'
import type { ReadyClient } from './types.js'

/** A driver in a language that the suite does not build: whoever brings it has made it ready, and says what starts it. */
export async function provisionOther({ spec, version, yaml }: ProvisionContext): Promise<ReadyClient> {
  const words = (yaml.command ?? []).map((word) => word.replaceAll('{version}', version))
  const command = words.map((word) => (/^\.\.?\//.test(word) ? resolve(spec.folder, word) : word))
  const remedy = yaml.remedy ?? 'build the driver, or mend command in its client.yaml'
  for (const [index, word] of command.entries()) {
    const isFile = word !== words[index]
    if (isFile && !existsSync(word)) throw new Refusal(`there is no ${word}`, remedy)
  }
  const [program = '', ...args] = command
  const found = await findProgram(program)
  if (found === null) throw new Refusal(`${program} cannot be run`, remedy)
  return { name: spec.name, version, kind: spec.kind, command: [found, ...args], env: {} }
}
