import { stripVTControlCharacters } from 'node:util'
import { execa } from 'execa'
import { readClientYaml } from '../clients/client-yaml.js'
import { findTool, Refusal, type Tool } from '../clients/tools.js'
import type { ClientSpec } from '../clients/types.js'
import { containerEngine } from './container-engine.js'

const byLanguage: Record<ClientSpec['language'], readonly Tool[]> = {
  node: ['npm'],
  python: ['python'],
  java: ['java', 'maven'],
  go: ['go'],
  rust: ['cargo'],
  program: [],
  other: [],
}

export interface Missing {
  readonly reason: string
  readonly remedy: string
}

/** What a client needs of this machine, and does not find. */
export async function missingTools(spec: ClientSpec): Promise<Missing[]> {
  return missing([...byLanguage[spec.language], ...readClientYaml(spec.folder).tools])
}

export async function missing(tools: readonly Tool[]): Promise<Missing[]> {
  const found = await Promise.all(tools.map(refusalOf))
  return found.filter((refusal) => refusal !== null)
}

async function refusalOf(tool: Tool): Promise<Missing | null> {
  try {
    await findTool(tool)
    return null
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { reason: error.reason, remedy: error.remedy }
  }
}

export interface Toolchain {
  readonly name: string
  readonly ready: boolean
  /** Its version, or why it is not there. */
  readonly told: string
  readonly remedy: string
}

/** All toolchains that some client or target uses. */
export function toolchains(): Promise<Toolchain[]> {
  return Promise.all([
    node(),
    ofTool('npm', 'npm', ['--version']),
    python(),
    ofTool('Java', 'java', ['-version']),
    ofTool('Maven', 'maven', ['--version']),
    ofTool('Go', 'go', ['version']),
    ofTool('Cargo', 'cargo', ['--version']),
    ofTool('protoc', 'protoc', ['--version']),
    ofTool('C++ compiler', 'c++', ['--version']),
    ofTool('make', 'make', ['--version']),
    containerEngine(),
  ])
}

async function node(): Promise<Toolchain> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ready = major > 20 || (major === 20 && minor >= 19)
  return {
    name: 'Node.js',
    ready,
    told: process.versions.node,
    remedy: ready ? '' : 'install Node.js 20.19 or later',
  }
}

async function ofTool(name: string, tool: Tool, args: readonly string[]): Promise<Toolchain> {
  try {
    const told = await versionOf(await findTool(tool), args)
    return {
      name,
      ready: told !== null,
      told: told ?? 'does not run',
      remedy: told === null ? `mend ${name}` : '',
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { name, ready: false, told: error.reason, remedy: error.remedy }
  }
}

/** Clients live in virtual environments: without venv Python is of no use here. */
async function python(): Promise<Toolchain> {
  const toolchain = await ofTool('Python', 'python', ['--version'])
  if (!toolchain.ready) return toolchain
  const venv = await execa(await findTool('python'), ['-c', 'import venv, ensurepip'], { reject: false })
  if (!venv.failed) return toolchain
  const told = `${toolchain.told}, without venv`
  return { ...toolchain, ready: false, told, remedy: 'install python3-venv' }
}

/** The first line that it prints; null: it does not run. */
async function versionOf(program: string, args: readonly string[]): Promise<string | null> {
  const result = await execa(program, args, { reject: false, timeout: 20_000, stdin: 'ignore' })
  if (result.failed) return null
  return (
    stripVTControlCharacters(`${result.stdout}\n${result.stderr}`)
      .split('\n')
      .find((line) => line.trim() !== '') ?? ''
  )
}
