import { cpus, release, totalmem } from 'node:os'
import { execa } from 'execa'

/** What the figures depend on. No names of hosts, users or folders: the file is made to be shared. */
export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  readonly java: string
}

export async function describeMachine(java: string): Promise<Machine> {
  const { all } = await execa(java, ['-version'], { all: true, reject: false })
  const processors = cpus()
  return {
    cores: processors.length,
    cpu: processors[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${process.platform} ${process.arch} ${release().split('-', 1)[0]}`,
    node: process.version,
    java: javaVersion(all),
  }
}

/** The version out of `java -version`, such as `openjdk version "17.0.15" 2025-04-15`. */
export function javaVersion(output: string): string {
  return /version "([^"]+)"/.exec(output)?.[1] ?? 'unknown'
}
