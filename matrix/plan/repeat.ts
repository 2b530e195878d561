import type { Cell, ClientTitle } from './cells.js'
import { clientsOf, titleOf } from './cells.js'

/** How the target was chosen, as options of the command line. */
export interface TargetChoice {
  /** A kind that the run starts; null: a running system at these addresses. */
  readonly kind: string | null
  readonly kafka?: string | undefined
  readonly pulsar?: string | undefined
  readonly admin?: string | undefined
  readonly profile?: string | undefined
  /** As given: `entryFormat=kafka,offsetMapping=packed`. */
  readonly settings?: string | undefined
}

/** A client that lies outside of the package, and the folder as the user named it. */
export interface OutsideClient {
  readonly name: string
  readonly folder: string
}

/** The one command that runs one scenario in one cell again, with the same random choices. */
export function repeatCommand(
  scenarioId: string,
  cell: Pick<Cell<ClientTitle>, 'kafka' | 'pulsar' | 'raw' | 'pulsarAdmin' | 'kafkaAdmin'>,
  seed: number,
  target: TargetChoice,
  outside: readonly OutsideClient[] = [],
): string {
  const clients = clientsOf(cell)
  const named = clients.length > 0 ? clients : [cell.raw].filter((client) => client !== null)
  const words = ['npx', 'kop-conformance', 'run', '--only', scenarioId]
  words.push('--clients', named.map(titleOf).join(','), '--seed', String(seed))
  const names = new Set(named.map(({ name }) => name))
  for (const { name, folder } of outside) if (names.has(name)) words.push('--client', folder)
  for (const [option, value] of targetOptions(target)) words.push(option, value)
  return words.map(shellWord).join(' ')
}

function targetOptions(target: TargetChoice): [string, string][] {
  const options: [string, string | undefined][] = [
    ['--target', target.kind === 'reference' ? undefined : (target.kind ?? undefined)],
    ['--kafka', target.kafka],
    ['--pulsar', target.pulsar],
    ['--admin', target.admin],
    ['--profile', target.profile],
    ['--settings', target.settings],
  ]
  return options.filter((option): option is [string, string] => option[1] !== undefined)
}

/** Quoted where a shell would read it otherwise. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
