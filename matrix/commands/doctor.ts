import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Table from 'cli-table3'
import { loadClients } from '../clients/index.js'
import { loadOutsideClients } from '../clients/outside.js'
import { packageRoot } from '../root.js'
import { targetKinds } from '../targets/index.js'
import { versionsOf } from '../targets/versions.js'
import { missing, missingTools, toolchains } from './toolchains.js'

interface Check {
  readonly group: 'toolchain' | 'client' | 'target'
  readonly name: string
  readonly ready: boolean
  readonly told: string
  readonly remedy: string
}

/** For each toolchain, client and target: whether it is ready, and what to do. */
export async function doctor(options: {
  readonly client?: readonly string[]
  readonly json?: boolean
}): Promise<string> {
  const [tools, clients, targets] = await Promise.all([
    toolchains(),
    clientChecks(options.client ?? []),
    targetChecks(),
  ])
  const checks: Check[] = [
    ...tools.map((tool) => ({ group: 'toolchain' as const, ...tool })),
    ...clients,
    ...targets,
  ]
  if (options.json) return JSON.stringify(checks, null, 2)
  const table = new Table({
    head: ['', 'what', 'state', 'to do'],
    style: { head: [], border: [], compact: true },
    colWidths: [3, null, null, null],
  })
  for (const { name, ready, told, remedy } of checks) table.push([ready ? '✓' : '✗', name, told, remedy])
  const unready = checks.filter(({ ready, group }) => !ready && group !== 'toolchain')
  const last =
    unready.length === 0
      ? 'Every client and target can be had here.'
      : `${unready.length} of ${clients.length + targets.length} clients and targets cannot be had here; the rest runs without them.`
  return `${table.toString()}\n${last}`
}

async function clientChecks(folders: readonly string[]): Promise<Check[]> {
  const shipped = loadClients()
  const outside = loadOutsideClients(folders, shipped)
  return Promise.all(
    [...shipped, ...outside].map(async (spec): Promise<Check> => {
      const [first] = await missingTools(spec)
      const planned = outside.includes(spec)
        ? `from ${spec.folder}`
        : spec.quick
          ? 'in the quick plan'
          : 'with --clients all'
      const told = `${spec.kind}${isTool(spec.kind) ? ' tool' : ' client'}, ${planned}`
      return {
        group: 'client',
        name: `${spec.name} ${spec.versions.at(-1)}`,
        ready: first === undefined,
        told: first?.reason ?? told,
        remedy: first?.remedy ?? '',
      }
    }),
  )
}

/** The original servers come from Maven; the reference only needs to be built. */
async function targetChecks(): Promise<Check[]> {
  const [noJava] = await missing(['java', 'maven'])
  const isBuilt = existsSync(join(packageRoot, 'dist', 'reference', 'main.js'))
  return targetKinds().map(({ name, profile }): Check => {
    const problem =
      name === 'reference' ? (isBuilt ? undefined : { reason: 'not built', remedy: 'npm run build' }) : noJava
    return {
      group: 'target',
      name: `target ${name}`,
      ready: problem === undefined,
      told: problem?.reason ?? `${firstSentence(profile.description)}${versionsTold(name)}`,
      remedy: problem?.remedy ?? '',
    }
  })
}

/** Which versions `--target` takes by name, beside others. */
function versionsTold(name: string): string {
  if (name !== 'kafka' && name !== 'pulsar') return ''
  const { versions, default: usual } = versionsOf(name)
  const each = versions.map((version) => (version === usual ? `${version} (the default)` : version))
  return `: ${each.join(', ')} and others`
}

const isTool = (kind: string): boolean => kind.endsWith('-admin')

function firstSentence(text: string): string {
  return text.split(/[.:,](?:\s|$)/)[0] ?? text
}
