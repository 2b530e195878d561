import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { buildOnce, isComplete } from './build-once.js'
import { readClientYaml } from './client-yaml.js'
import { cacheFolder } from './paths.js'
import type { ProvisionContext } from './provision-context.js'
import { provisionGo } from './provision-go.js'
import { provisionJava } from './provision-java.js'
import { provisionNode } from './provision-node.js'
import { provisionOther } from './provision-other.js'
import { provisionProgram } from './provision-program.js'
import { provisionPython } from './provision-python.js'
import { provisionRust } from './provision-rust.js'
import { findTool, Refusal } from './tools.js'
import type { Provision } from './types.js'

const LANGUAGES = {
  node: provisionNode,
  python: provisionPython,
  java: provisionJava,
  go: provisionGo,
  rust: provisionRust,
  program: provisionProgram,
  other: provisionOther,
}

/** Another list of packages is another folder. */
function packagesName(name: string, version: string, dependencies: readonly string[]): string {
  if (dependencies.length === 0) return `${name}-${version}`
  return `${name}-${version}-with-${createHash('sha256').update(dependencies.join()).digest('hex').slice(0, 8)}`
}

/**
 * @see Provision
 * Makes a client ready, or says why it cannot be had: no failure of a tool or of the network throws. An abort does.
 */
export const provisionClient: Provision = async (spec, version, { onProgress, signal }) => {
  const yaml = readClientYaml(spec.folder)
  const context: ProvisionContext = {
    spec,
    version,
    yaml,
    packages: packagesName(spec.name, version, yaml.dependencies),
    signal,
    async build(name, progress, build) {
      const folder = join(cacheFolder(), 'clients', name)
      if (await isComplete(folder)) return folder
      for (const tool of yaml.tools) await findTool(tool)
      const started = performance.now()
      onProgress?.(progress)
      await buildOnce(folder, build, signal)
      onProgress?.(`${progress}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
      return folder
    },
  }
  try {
    return await LANGUAGES[spec.language](context)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { name: spec.name, version, kind: spec.kind, reason: error.reason, remedy: error.remedy }
  }
}
