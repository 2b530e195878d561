import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'

/** A reason why something cannot be had on this machine, and the remedy. */
export class Refusal extends Error {
  readonly reason: string
  readonly remedy: string

  constructor(reason: string, remedy: string) {
    super(`${reason}: ${remedy}`)
    this.name = 'Refusal'
    this.reason = reason
    this.remedy = remedy
  }
}

export type Tool =
  | ('python' | 'java' | 'maven' | 'npm' | 'go' | 'cargo')
  | ('c++' | 'make' | 'pkg-config' | 'protoc' | 'kcat')

const TOOLS: Record<Tool, { programs: readonly string[]; reason: string; remedy: string }> = {
  python: {
    programs: ['python3', 'python'],
    reason: 'no Python 3',
    remedy: 'install Python 3 with its venv module (Debian: apt-get install python3-venv)',
  },
  java: {
    programs: ['javac'],
    reason: 'no Java compiler',
    remedy: 'install a JDK, 17 or later (Debian: apt-get install openjdk-17-jdk-headless)',
  },
  maven: {
    programs: ['mvn'],
    reason: 'no Maven',
    remedy: 'install Maven (Debian: apt-get install maven)',
  },
  npm: { programs: ['npm'], reason: 'no npm', remedy: 'install npm' },
  go: {
    programs: ['go'],
    reason: 'no Go',
    remedy: 'install Go, 1.24 or later (https://go.dev/dl)',
  },
  cargo: {
    programs: ['cargo'],
    reason: 'no Cargo',
    remedy: 'install Rust with Cargo, 1.85 or later (https://rustup.rs)',
  },
  'c++': {
    programs: [process.env.CXX ?? 'c++', 'g++', 'clang++'],
    reason: 'no C++ compiler',
    remedy: 'install g++ and make (Debian: apt-get install build-essential)',
  },
  make: {
    programs: ['make'],
    reason: 'no make',
    remedy: 'install g++ and make (Debian: apt-get install build-essential)',
  },
  'pkg-config': {
    programs: ['pkg-config', 'pkgconf'],
    reason: 'no pkg-config',
    remedy: 'install pkg-config (Debian: apt-get install pkg-config)',
  },
  protoc: {
    programs: ['protoc'],
    reason: "no compiler of Protocol Buffers' definitions",
    remedy: 'install protoc (Debian: apt-get install protobuf-compiler)',
  },
  kcat: {
    programs: ['kcat'],
    reason: 'no kcat',
    remedy: 'install kcat (Debian: apt-get install kcat)',
  },
}

/** The full path of the first of the tool's programs on the PATH. @throws Refusal when there is none */
export async function findTool(tool: Tool): Promise<string> {
  const { programs, reason, remedy } = TOOLS[tool]
  for (const program of programs) {
    const path = await findProgram(program)
    if (path !== null) return path
  }
  throw new Refusal(reason, remedy)
}

/** The full path of a program by its name on the PATH, or by its path; null: it is not there, or cannot be run. */
export async function findProgram(program: string): Promise<string | null> {
  if (program.includes('/')) return (await isExecutable(program)) ? program : null
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program)
    if (await isExecutable(path)) return path
  }
  return null
}

export interface ToolRun {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** Said when the tool fails; what it failed with is added. */
  readonly failure: string
  readonly remedy: string
}

/** Runs a tool to its end and answers its standard output. @throws Refusal with the last line that the tool said */
export async function runTool(program: string, args: readonly string[], run: ToolRun): Promise<string> {
  const result = await execa(program, args, {
    cwd: run.cwd,
    env: { ...ownEnvironment(), ...run.env },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    ...(run.signal ? { cancelSignal: run.signal } : {}),
  })
  run.signal?.throwIfAborted()
  if (result.failed) {
    throw new Refusal(`${run.failure}: ${lastWords(`${result.stdout}\n${result.stderr}`)}`, run.remedy)
  }
  return result.stdout
}

/** Ours without what npm adds when it starts us (its settings would be taken for the user's), nor parallel makes. */
function ownEnvironment(): Record<string, string> {
  const own: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    const foreign =
      /^(npm_(package|lifecycle|command|execpath|node_execpath|config_(local_)?prefix)|JOBS$|MAKEFLAGS$)/
    if (value !== undefined && !foreign.test(name)) own[name] = value
  }
  return own
}

const NETWORK =
  /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|Could not transfer|Temporary failure in name/
const NOISE = /complete log|debug\.log|not ok$|^npm (error|ERR!)$/i
const REASON_CHARACTERS_MAX = 300

/** The line that tells most: the first that speaks of the network, else the last of an error, else the last. */
export function lastWords(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !NOISE.test(line))
  const errors = lines.filter((line) => /error/i.test(line))
  const telling = errors.find((line) => NETWORK.test(line)) ?? errors.at(-1) ?? lines.at(-1) ?? 'no output'
  const plain = telling.replace(/^npm (error|ERR!)\s+/, '').replace(/^\[error\]\s+/i, '')
  return plain.length > REASON_CHARACTERS_MAX ? `${plain.slice(0, REASON_CHARACTERS_MAX)}…` : plain
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
