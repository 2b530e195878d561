import type { ClientSpec } from '../clients/types.js'
import type { Endpoints } from '../targets/types.js'
import type { Scenario, ToolKind, Worlds } from './scenarios.js'

/** A client as plans speak of it. `ReadyClient` and a choice not yet provisioned both are one. */
export interface ClientTitle {
  readonly name: string
  readonly version: string
}

/** One combination of clients, with the scenarios that it is to run. */
export interface Cell<Client extends ClientTitle = ClientTitle> {
  /**
   * `kafkajs@2.2.4`, `kafkajs@2.2.4 × pulsar-client@1.18.0`, or `raw`; then the tools that manage its scenarios:
   * `kafkajs@2.2.4 × kafka-tools@4.1.0`.
   */
  readonly id: string
  readonly worlds: Worlds
  readonly kafka: Client | null
  readonly pulsar: Client | null
  readonly raw: Client | null
  readonly pulsarAdmin: Client | null
  readonly kafkaAdmin: Client | null
  readonly scenarios: readonly Scenario[]
}

export interface PlanClients<Client extends ClientTitle> {
  readonly kafka: readonly Client[]
  readonly pulsar: readonly Client[]
  readonly raw: Client | null
  readonly pulsarAdmin: readonly Client[]
  readonly kafkaAdmin: readonly Client[]
}

export interface CellInput<Client extends ClientTitle> extends PlanClients<Client> {
  readonly scenarios: readonly Scenario[]
  readonly pairs: 'cover' | 'all'
  /** Which cells of a world run its scenarios that need a power over the target, or are slow: its first, or (absent) all. */
  readonly powers?: 'once' | 'all'
  /** What the target speaks: scenarios of another world are left out. */
  readonly endpoints: Endpoints
}

export interface CellPlan<Client extends ClientTitle = ClientTitle> {
  readonly cells: readonly Cell<Client>[]
  /** Scenarios that no cell runs, counted by the reason. Nothing is left out without a line. */
  readonly leftOut: readonly { readonly reason: string; readonly scenarios: readonly Scenario[] }[]
  /** Cases that `powers: 'once'` spares; each of their scenarios runs in the first cell of its world. */
  readonly sparedCases: number
}

export const titleOf = (client: ClientTitle): string => `${client.name}@${client.version}`

/** Clients of a plan by their kinds. */
export function byKind<Client extends ClientTitle>(
  clients: readonly Client[],
  kindOf: (client: Client) => ClientSpec['kind'],
): PlanClients<Client> {
  const of = (kind: ClientSpec['kind']) => clients.filter((client) => kindOf(client) === kind)
  return {
    kafka: of('kafka'),
    pulsar: of('pulsar'),
    raw: of('raw')[0] ?? null,
    pulsarAdmin: of('pulsar-admin'),
    kafkaAdmin: of('kafka-admin'),
  }
}

/** Those of a cell that reports give a row each, and that a case is told apart by: all but the raw client. */
export function clientsOf<Client extends ClientTitle>(
  cell: Pick<Cell<Client>, 'kafka' | 'pulsar' | 'pulsarAdmin' | 'kafkaAdmin'>,
): Client[] {
  return [cell.kafka, cell.pulsar, cell.pulsarAdmin, cell.kafkaAdmin].filter((client) => client !== null)
}

/**
 * Plans cells: each world alone once a client, both worlds over pairs of clients, raw once. Scenarios that are managed
 * by a tool have cells of their own: those of their worlds, paired with the tools. With `powers: 'once'`, the quick
 * plan's, scenarios that restart, kill, configure or spoil a target of their own, and those tagged `@slow`, run with the
 * first client or pair of their world only, and those of a tool once a tool: they cost seconds each, and what they show
 * is the target's or the tool's behaviour.
 */
export function planCells<Client extends ClientTitle>(input: CellInput<Client>): CellPlan<Client> {
  const leftOut = new Map<string, Scenario[]>()
  const runnable = input.scenarios.filter((scenario) => {
    const reason = reasonToLeaveOut(scenario, input)
    if (reason !== null) leftOut.set(reason, [...(leftOut.get(reason) ?? []), scenario])
    return reason === null
  })
  let sparedCases = 0
  const cells = toolChoices.flatMap((tools) =>
    worldChoices.flatMap((worlds) => {
      const scenarios = runnable.filter(
        (scenario) => scenario.worlds === worlds && isManagedBy(scenario, tools),
      )
      const tooled = tools.length > 0 ? toolsCount(tools, input) : Number.POSITIVE_INFINITY
      return combinations(worlds, tools, input).map((clients, index) => {
        const shared = scenarios.filter(({ powers, slow }) => {
          const isCheap = powers.length === 0 && !slow
          return input.powers !== 'once' || (index < tooled && (index === 0 || isCheap))
        })
        sparedCases += scenarios.length - shared.length
        return cell(worlds, { ...clients, raw: input.raw }, shared)
      })
    }),
  )
  return {
    sparedCases,
    cells: cells.filter(({ scenarios }) => scenarios.length > 0),
    leftOut: [...leftOut].map(([reason, scenarios]) => ({ reason, scenarios })),
  }
}

const worldChoices: readonly Worlds[] = ['kafka', 'pulsar', 'both', 'raw', 'tools']
const toolChoices: readonly (readonly ToolKind[])[] = [
  [],
  ['pulsar-admin'],
  ['kafka-admin'],
  ['pulsar-admin', 'kafka-admin'],
]

function isManagedBy(scenario: Scenario, tools: readonly ToolKind[]): boolean {
  return scenario.tools.length === tools.length && tools.every((tool) => scenario.tools.includes(tool))
}

interface Clients<Client> {
  readonly kafka?: Client
  readonly pulsar?: Client
  readonly pulsarAdmin?: Client
  readonly kafkaAdmin?: Client
}

/** The clients of each cell of some worlds and tools. */
function combinations<Client extends ClientTitle>(
  worlds: Worlds,
  tools: readonly ToolKind[],
  input: CellInput<Client>,
): Clients<Client>[] {
  const needed: Clients<Client>[][] = []
  if (worlds === 'kafka' || worlds === 'both') needed.push(input.kafka.map((kafka) => ({ kafka })))
  if (worlds === 'pulsar' || worlds === 'both') needed.push(input.pulsar.map((pulsar) => ({ pulsar })))
  if (tools.includes('pulsar-admin')) needed.push(input.pulsarAdmin.map((pulsarAdmin) => ({ pulsarAdmin })))
  if (tools.includes('kafka-admin')) needed.push(input.kafkaAdmin.map((kafkaAdmin) => ({ kafkaAdmin })))
  const first: Clients<Client>[] = [{}]
  return needed.reduce(
    (left, right) => pairs(left, right, input.pairs).map(([a, b]) => ({ ...a, ...b })),
    first,
  )
}

/** So many of the first combinations meet every tool: a shorter list is gone through again. */
function toolsCount<Client extends ClientTitle>(
  tools: readonly ToolKind[],
  { pulsarAdmin, kafkaAdmin }: PlanClients<Client>,
): number {
  const counts = { 'pulsar-admin': pulsarAdmin.length, 'kafka-admin': kafkaAdmin.length }
  return Math.max(...tools.map((tool) => counts[tool]))
}

/** Every pair, or as few as meet each client at least once: the shorter list is gone through again. */
export function pairs<A, B>(
  left: readonly A[],
  right: readonly B[],
  mode: 'cover' | 'all',
): readonly (readonly [A, B])[] {
  const all = left.flatMap((a) => right.map((b) => [a, b] as const))
  if (mode === 'all' || all.length === 0) return all
  const count = Math.max(left.length, right.length)
  return Array.from({ length: count }, (_, index) => {
    return all[(index % left.length) * right.length + (index % right.length)] as readonly [A, B]
  })
}

function cell<Client extends ClientTitle>(
  worlds: Worlds,
  clients: Clients<Client> & { raw: Client | null },
  scenarios: readonly Scenario[],
): Cell<Client> {
  const { kafka = null, pulsar = null, raw, pulsarAdmin = null, kafkaAdmin = null } = clients
  const all = { kafka, pulsar, raw, pulsarAdmin, kafkaAdmin }
  return { id: idOf(worlds, all), worlds, ...all, scenarios }
}

/** The id of a cell of these worlds and clients. */
export function idOf<Client extends ClientTitle>(
  worlds: Worlds,
  clients: Pick<Cell<Client>, 'kafka' | 'pulsar' | 'pulsarAdmin' | 'kafkaAdmin'>,
): string {
  return [...(worlds === 'raw' ? ['raw'] : []), ...clientsOf(clients).map(titleOf)].join(' × ')
}

function reasonToLeaveOut<Client extends ClientTitle>(
  scenario: Scenario,
  input: CellInput<Client>,
): string | null {
  const { endpoints } = input
  const { worlds, tools } = scenario
  const needsKafkaClient = worlds === 'kafka' || worlds === 'both'
  const needsPulsar = worlds === 'pulsar' || worlds === 'both'
  const needsKafka = needsKafkaClient || worlds === 'raw' || tools.includes('kafka-admin')
  if (needsKafka && endpoints.kafka === undefined) return 'the target does not speak Kafka'
  if (needsPulsar && endpoints.pulsar === undefined) return 'the target does not speak Pulsar'
  if (tools.includes('pulsar-admin') && endpoints.admin === undefined) {
    return 'the target has no admin address'
  }
  if (needsKafkaClient && input.kafka.length === 0) return 'there is no Kafka client in the plan'
  if (needsPulsar && input.pulsar.length === 0) return 'there is no Pulsar client in the plan'
  if (tools.includes('pulsar-admin') && input.pulsarAdmin.length === 0) {
    return "there is no tool of Pulsar's administration in the plan"
  }
  if (tools.includes('kafka-admin') && input.kafkaAdmin.length === 0) {
    return "there is no tool of Kafka's administration in the plan"
  }
  if ((scenario.raw || worlds === 'raw') && input.raw === null) {
    return 'the raw client is not in the plan'
  }
  return null
}

export function sparedLine(cases: number): string {
  return `${cases} cases left to --clients all or --pairs all: what needs a target of its own, a tool, or seconds runs here with the first client or pair`
}
