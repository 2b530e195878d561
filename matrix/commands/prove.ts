import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Table from 'cli-table3'
import { driverDigest } from '../clients/digest.js'
import { loadClients, provisionClient } from '../clients/index.js'
import { loadOutsideClients } from '../clients/outside.js'
import { type Proof, type Proofs, proofOf, provenFile, readProofs, writeProofs } from '../clients/proof.js'
import { provenTable } from '../clients/proven-table.js'
import { Prover, type Tested, whyUnproven } from '../clients/prover.js'
import type { ClientSpec } from '../clients/types.js'
import { titleOf } from '../plan/cells.js'
import { type ChosenClient, chooseClients } from '../plan/clients.js'
import { packageRoot } from '../root.js'
import { targetKind } from '../targets/index.js'
import { UsageError } from '../usage-error.js'
import { whyNoControl } from './control.js'
import { EXIT } from './exit.js'

export interface ProveOptions {
  readonly clients: string
  /** Folders of clients outside of the package. */
  readonly client?: readonly string[]
  /** Leaves out what is proven in its present state. */
  readonly missing?: boolean
  readonly update?: boolean
  readonly json?: boolean
}

interface Outcome {
  readonly title: string
  readonly spec: ClientSpec
  readonly state: 'proven' | 'failed' | 'not ready'
  readonly proof: Proof | null
  /** Why not ready, or not proven. */
  readonly told: string
  readonly milliseconds: number
  readonly counts: { readonly passed: number; readonly unsupported: number; readonly failed: number }
}

/** Runs the smokes of clients against the originals that serve them, and answers the exit code. */
export async function prove(options: ProveOptions, signal: AbortSignal): Promise<number> {
  const shipped = loadClients()
  const chosen = chosenFor(options, shipped)
  const why = await whyNoControl()
  if (why !== null) throw new UsageError(`nothing can be proved: ${why}`)
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const kindOf = (original: string, version: string | null) =>
    targetKind(version === null ? original : `${original}@${version}`)
  const prover = new Prover({ kindOf, onLine: say, signal })
  const outcomes: Outcome[] = []
  try {
    for (const choice of chosen) {
      if (signal.aborted) break
      if (options.missing && isProven(choice)) continue
      const outcome = await proveOne(choice, prover, say, signal)
      if (outcome === null) break
      outcomes.push(outcome)
      say(`${outcomes.length}/${chosen.length} ${lineOf(outcome)}`)
      if (options.update) keep(outcome, shipped)
    }
  } finally {
    await prover.close()
  }
  if (options.update) updateReadme(shipped)
  process.stdout.write(
    `${options.json ? JSON.stringify(outcomes.map(toJson), null, 2) : tableOf(outcomes)}\n`,
  )
  if (signal.aborted) return EXIT.interrupted
  return outcomes.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.passed
}

/** Clients of folders alone, when only those are named. */
function chosenFor({ clients, client = [] }: ProveOptions, shipped: readonly ClientSpec[]): ChosenClient[] {
  const outside = loadOutsideClients(client, shipped)
  const own = outside.flatMap((spec) => spec.versions.map((version) => ({ spec, version, named: true })))
  if (outside.length > 0 && clients === 'every') return own
  return chooseClients(clients, [...shipped, ...outside])
}

const isProven = ({ spec, version }: ChosenClient): boolean =>
  proofOf(`${spec.name}@${version}`, driverDigest(spec, version), readProofs()) !== null

/** null: interrupted */
async function proveOne(
  { spec, version }: ChosenClient,
  prover: Prover,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Outcome | null> {
  const title = `${spec.name}@${version}`
  const none = { passed: 0, unsupported: 0, failed: 0 }
  const started = performance.now()
  const since = () => Math.round(performance.now() - started)
  try {
    const client = await provisionClient(spec, version, { onProgress: say, signal })
    if (!('command' in client)) {
      const told = `${client.reason}; ${client.remedy}`
      return { title, spec, state: 'not ready', proof: null, told, milliseconds: since(), counts: none }
    }
    return outcomeOf(titleOf(client), spec, await prover.test(spec, client))
  } catch (error) {
    if (signal.aborted) return null
    const told = error instanceof Error ? error.message : String(error)
    return { title, spec, state: 'not ready', proof: null, told, milliseconds: since(), counts: none }
  }
}

function outcomeOf(title: string, spec: ClientSpec, tested: Tested): Outcome {
  const { proof, checks, milliseconds } = tested
  const count = (name: string) => checks.filter(({ outcome }) => outcome === name).length
  const counts = { passed: count('passed'), unsupported: count('unsupported'), failed: count('failed') }
  const state = proof === null ? 'failed' : 'proven'
  const told = proof === null ? whyUnproven(tested) : `on ${proof.control}`
  return { title, spec, state, proof, told, milliseconds, counts }
}

const toJson = ({ title, state, told, milliseconds, counts }: Outcome) => ({
  title,
  state,
  told,
  milliseconds,
  ...counts,
})

function lineOf({ title, state, told, milliseconds, counts }: Outcome): string {
  const sums = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
  return `${title}: ${state}, ${[...sums, `${(milliseconds / 1000).toFixed(1)} s`].join(', ')}: ${told}`
}

const clip = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text)

function tableOf(outcomes: readonly Outcome[]): string {
  const table = new Table({
    head: ['client', 'version', '', 'passed', 'unsupported', 'failed', 'seconds', ''],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
    wordWrap: true,
  })
  for (const { title, state, told, milliseconds, counts } of outcomes) {
    const at = title.lastIndexOf('@')
    const { passed, unsupported, failed } = counts
    const seconds = (milliseconds / 1000).toFixed(1)
    table.push([
      title.slice(0, at),
      title.slice(at + 1),
      state,
      passed,
      unsupported,
      failed,
      seconds,
      clip(told),
    ])
  }
  const proven = outcomes.filter(({ state }) => state === 'proven').length
  return `${table.toString()}\n${proven} of ${outcomes.length} drivers are proven`
}

/** Each as it is proved: an interrupted command has lost nothing. Versions that no client has any more go. */
function keep({ title, spec, state, proof }: Outcome, shipped: readonly ClientSpec[]): void {
  if (!shipped.includes(spec)) return
  const titles = new Set(shipped.flatMap(({ name, versions }) => versions.map((each) => `${name}@${each}`)))
  const kept = Object.entries(readProofs()).filter(
    ([each]) => titles.has(each) && !(each === title && state === 'failed'),
  )
  const all: Proofs = { ...Object.fromEntries(kept), ...(proof !== null && { [title]: proof }) }
  writeProofs(all, provenFile)
}

const BEGIN = '<!-- clients:begin -->'
const END = '<!-- clients:end -->'

function updateReadme(shipped: readonly ClientSpec[]): void {
  const file = join(packageRoot, 'README.md')
  const readme = readFileSync(file, 'utf8')
  const from = readme.indexOf(BEGIN)
  const to = readme.indexOf(END)
  if (from < 0 || to < from) {
    throw new UsageError(`README.md has no place for the table: add the lines ${BEGIN} and ${END}`)
  }
  const table = provenTable(shipped, readProofs())
  writeFileSync(file, `${readme.slice(0, from + BEGIN.length)}\n${table}\n${readme.slice(to)}`)
}
