import { join } from 'node:path'
import type { ProvisionContext } from './provision-context.js'
import { findTool, runTool } from './tools.js'
import type { ReadyClient } from './types.js'

/** Installs the package beside nothing else; the driver runs from its folder and finds it by `KOP_DRIVER_PACKAGES`. */
export async function provisionNode(context: ProvisionContext): Promise<ReadyClient> {
  const { spec, version, yaml, signal } = context
  const packages = [`${spec.package}@${version}`, ...yaml.dependencies]
  const abi = `node${process.versions.modules}-${process.platform}-${process.arch}`
  const folder = await context.build(
    `${context.packages}-${abi}`,
    `installing ${spec.package} ${version} with npm`,
    async (unfinished) => {
      const scripts = yaml.installScripts ? [] : ['--ignore-scripts']
      const args = ['install', '--prefix', unfinished, '--no-audit', '--no-fund', ...scripts, ...packages]
      await runTool(await findTool('npm'), args, {
        cwd: unfinished,
        env: unsetOf(yaml.installEnvironment),
        signal,
        failure: `npm could not install ${spec.package} ${version}`,
        remedy: yaml.remedy ?? `see why: npm install ${packages.join(' ')}`,
      })
    },
  )
  return {
    name: spec.name,
    version,
    kind: spec.kind,
    command: [process.execPath, join(spec.folder, 'driver.mjs')],
    // Drivers of native libraries hold threads of Node's pool while they wait.
    env: { KOP_DRIVER_PACKAGES: folder, UV_THREADPOOL_SIZE: '16' },
  }
}

/** What the user has not set. */
function unsetOf(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => process.env[name] === undefined))
}
