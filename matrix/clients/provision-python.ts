import { join } from 'node:path'
import type { ProvisionContext } from './provision-context.js'
import { findTool, runTool } from './tools.js'
import type { ReadyClient } from './types.js'

/** One virtual environment for each version of each client; wheels only, nothing is compiled. */
export async function provisionPython(context: ProvisionContext): Promise<ReadyClient> {
  const { spec, version, yaml, signal } = context
  const python = await findTool('python')
  const packages = [`${spec.package}==${version}`, ...yaml.dependencies]
  const folder = await context.build(
    `${context.packages}-${process.platform}-${process.arch}`,
    `installing ${spec.package} ${version} with pip`,
    async (unfinished) => {
      const environment = join(unfinished, 'venv')
      await runTool(python, ['-m', 'venv', environment], {
        cwd: unfinished,
        signal,
        failure: 'no virtual environment could be made',
        remedy: "install Python's venv module (Debian: apt-get install python3-venv)",
      })
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:']
      await runTool(pythonOf(environment), [...pip, ...packages], {
        cwd: unfinished,
        signal,
        failure: `pip could not install ${spec.package} ${version}`,
        remedy: yaml.remedy ?? `see why: pip install ${packages.join(' ')}`,
      })
    },
  )
  return {
    name: spec.name,
    version,
    kind: spec.kind,
    command: [pythonOf(join(folder, 'venv')), '-u', join(spec.folder, 'driver.py')],
    env: {
      PYTHONPATH: join(spec.folder, '..', 'lib'),
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONIOENCODING: 'utf-8',
    },
  }
}

function pythonOf(environment: string): string {
  return join(environment, 'bin', 'python')
}
