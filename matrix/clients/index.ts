import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../root.js'
import { readClientYaml } from './client-yaml.js'
import type { ClientSpec } from './types.js'

export { provisionClient } from './provision.js'
export type { ClientSpec } from './types.js'

/** Every client of `matrix/clients/`, by name. */
export function loadClients(clientsFolder: string = join(packageRoot, 'matrix', 'clients')): ClientSpec[] {
  return readdirSync(clientsFolder)
    .map((name) => join(clientsFolder, name))
    .filter((folder) => existsSync(join(folder, 'client.yaml')))
    .map(loadClient)
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** The client of a folder. @throws Error of one line that names the file and the field */
export function loadClient(folder: string): ClientSpec {
  const yaml = readClientYaml(folder)
  const { name, kind, language, package: packageName, quick, controls } = yaml
  const versions = withLast(yaml.default, yaml.versions)
  return { name, kind, language, package: packageName, versions, quick, controls, folder }
}

/** Plans choose the last. */
function withLast(chosen: string | undefined, versions: readonly string[]): readonly string[] {
  return chosen === undefined ? versions : [...versions.filter((version) => version !== chosen), chosen]
}
