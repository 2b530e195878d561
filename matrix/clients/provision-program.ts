import { join } from 'node:path'
import type { ProvisionContext } from './provision-context.js'
import { findTool, Refusal, runTool } from './tools.js'
import type { ReadyClient } from './types.js'

/** A program of the operating system, as it is installed: the driver runs it, and finds it by `KOP_DRIVER_PROGRAM`. */
export async function provisionProgram({
  spec,
  version,
  yaml,
  signal,
}: ProvisionContext): Promise<ReadyClient> {
  const [tool] = yaml.tools
  if (tool === undefined) throw new Error(`${spec.name}: client.yaml names no program under tools`)
  const program = await findTool(tool)
  const failure = `${spec.package} does not tell its version`
  const remedy = yaml.remedy ?? `mend ${program}`
  const told = await runTool(program, ['-V'], { cwd: spec.folder, signal, failure, remedy })
  const installed = told.match(/\bversion v?(\d[\w.]*)/i)?.[1]
  if (installed !== version) {
    throw new Refusal(
      `${spec.package} here is ${installed ?? 'of no version that it tells'}, not ${version}`,
      yaml.remedy ?? `install ${spec.package} ${version}`,
    )
  }
  return {
    name: spec.name,
    version,
    kind: spec.kind,
    command: [process.execPath, join(spec.folder, 'driver.mjs')],
    env: { KOP_DRIVER_PROGRAM: program },
  }
}
