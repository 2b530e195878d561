import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UsageError } from '../usage-error.js'
import { loadClient } from './index.js'
import type { ClientSpec } from './types.js'

/** What must lie in a client's folder beside client.yaml, by its language. */
const DRIVERS: Partial<Record<ClientSpec['language'], string>> = {
  node: 'driver.mjs',
  python: 'driver.py',
  program: 'driver.mjs',
}

/**
 * Clients that lie outside of the package: `--client ./my-client`.
 * @throws UsageError of one line for a folder that is none, or whose name a client has already
 */
export function loadOutsideClients(folders: readonly string[], shipped: readonly ClientSpec[]): ClientSpec[] {
  const names = new Map(shipped.map(({ name }) => [name, 'a client of the suite']))
  return folders.map((given) => {
    const spec = load(given)
    const other = names.get(spec.name)
    if (other !== undefined)
      throw new UsageError(`--client ${given}: ${other} is named ${spec.name} too; give it another name`)
    names.set(spec.name, given)
    return spec
  })
}

function load(given: string): ClientSpec {
  const folder = resolve(given)
  const refuse = (problem: string) => new UsageError(`--client ${given}: ${problem}`)
  if (!existsSync(folder)) throw refuse('there is no such folder')
  if (!existsSync(join(folder, 'client.yaml')))
    throw refuse('there is no client.yaml in it; matrix/driver/README.md tells how a client is added')
  let spec: ClientSpec
  try {
    spec = loadClient(folder)
  } catch (error) {
    throw refuse(lineOf(error).replace(`${folder}/`, ''))
  }
  const driver = DRIVERS[spec.language]
  if (driver !== undefined && !existsSync(join(folder, driver))) {
    throw refuse(`there is no ${driver}, which starts a client of language ${spec.language}`)
  }
  return spec
}

function lineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
