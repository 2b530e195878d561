import type { ClientSpec } from '../clients/types.js'
import type { Endpoints } from '../targets/types.js'
import { type CostOf, guessedCost } from './costs.js'
import { type Breadth, type Chosen, cover, type Kind } from './covering.js'
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
  /** Absent: none. */
  readonly wrapper?: readonly Client[]
}

/** How scenarios are spread over clients. */
export interface Spread {
  readonly pairs: 'cover' | 'all'
  /** Absent: each runs with every client, or pair, of its world. */
  readonly breadth?: Breadth | null
  /** Scenarios that cost more, or those that cost no more, are left to another plan. */
  readonly leave?: { readonly which: 'dear' | 'cheap'; readonly msMax: number } | null
  /** Absent: guessed by their tags. */
  readonly costOf?: CostOf
}

export interface CellInput<Client extends ClientTitle> extends PlanClients<Client>, Spread {
  readonly scenarios: readonly Scenario[]
  /** What the target speaks: scenarios of another world are left out. */
  readonly endpoints: Endpoints
}

export interface CellPlan<Client extends ClientTitle = ClientTitle> {
  readonly cells: readonly Cell<Client>[]
  /** Scenarios that no cell runs, counted by the reason. Nothing is left out without a line. */
  readonly leftOut: readonly { readonly reason: string; readonly scenarios: readonly Scenario[] }[]
  /** Cases that `breadth` spares; each of their scenarios runs in other cells. */
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
    wrapper: of('pulsar-kafka-wrapper'),
  }
}

/** Those of a cell that reports give a row each, and that a case is told apart by: all but the raw client. */
export function clientsOf<Client extends ClientTitle>(
  cell: Pick<Cell<Client>, 'kafka' | 'pulsar' | 'pulsarAdmin' | 'kafkaAdmin'>,
): Client[] {
  return [cell.kafka, cell.pulsar, cell.pulsarAdmin, cell.kafkaAdmin].filter((client) => client !== null)
}

/**
 * Plans cells: each world alone with its clients, both worlds over pairs of clients, raw once. Scenarios that are managed
 * by a tool have cells of their own: those of their worlds, paired with the tools. With a breadth they are spread over the
 * clients as covering.ts tells; every scenario that is not left out runs at least once. Pure: the same input gives the
 * same cells in the same order.
 */
export function planCells<Client extends ClientTitle>(input: CellInput<Client>): CellPlan<Client> {
  const leftOut = new Map<string, Scenario[]>()
  const leave = leaving(input)
  const runnable = input.scenarios.filter((scenario) => {
    const reason = reasonToLeaveOut(scenario, input) ?? leave(scenario)
    if (reason !== null) leftOut.set(reason, [...(leftOut.get(reason) ?? []), scenario])
    return reason === null
  })
  const groups = groupsOf(runnable, input)
  const whole = groups.map((group) =>
    combinations(group.worlds, group.tools, input).map((clients) =>
      cell(group.worlds, { ...clients, raw: input.raw }, group.scenarios),
    ),
  )
  const { breadth = null } = input
  const cells = breadth === null ? whole.flat() : coveringCells(groups, breadth, input)
  const spared = breadth === null ? 0 : Math.max(0, countCases(whole.flat()) - countCases(cells))
  return {
    sparedCases: spared,
    cells: cells.filter(({ scenarios }) => scenarios.length > 0),
    leftOut: [...leftOut].map(([reason, scenarios]) => ({ reason, scenarios })),
  }
}

export function countCases(cells: readonly Pick<Cell, 'scenarios'>[]): number {
  return cells.reduce((sum, { scenarios }) => sum + scenarios.length, 0)
}

interface CellGroup<Client> {
  readonly worlds: Worlds
  readonly tools: readonly ToolKind[]
  readonly scenarios: readonly Scenario[]
  readonly kinds: readonly (Kind & { readonly clients: readonly Client[] })[]
}

function groupsOf<Client extends ClientTitle>(
  scenarios: readonly Scenario[],
  input: CellInput<Client>,
): CellGroup<Client>[] {
  const groups = toolChoices.flatMap((tools) =>
    worldChoices.map((worlds) => ({
      worlds,
      tools,
      scenarios: scenarios.filter((each) => each.worlds === worlds && isManagedBy(each, tools)),
      kinds: kindsOf(worlds, tools).map((name) => ({ name, clients: input[name] ?? [] })),
    })),
  )
  return groups.filter((group) => group.scenarios.length > 0)
}

function kindsOf(worlds: Worlds, tools: readonly ToolKind[]): Kind['name'][] {
  return [
    ...(worlds === 'kafka' || worlds === 'both' || worlds === 'wrapper' ? (['kafka'] as const) : []),
    ...(worlds === 'pulsar' || worlds === 'both' ? (['pulsar'] as const) : []),
    ...(worlds === 'wrapper' ? (['wrapper'] as const) : []),
    ...(tools.includes('pulsar-admin') ? (['pulsarAdmin'] as const) : []),
    ...(tools.includes('kafka-admin') ? (['kafkaAdmin'] as const) : []),
  ]
}

/** Cells by group, then by the places of their clients; in each the scenarios in the order of the suite. */
function coveringCells<Client extends ClientTitle>(
  groups: readonly CellGroup<Client>[],
  breadth: Breadth,
  input: CellInput<Client>,
): Cell<Client>[] {
  const { pairs: mode, costOf = guessedCost } = input
  const chosen = new Map<string, Chosen[]>()
  for (const one of cover(groups, { breadth, pairs: mode, costOf })) {
    const key = [one.group, ...one.places].map((number) => String(number).padStart(4, '0')).join()
    const own = chosen.get(key)
    if (own === undefined) chosen.set(key, [one])
    else own.push(one)
  }
  const order = new Map(input.scenarios.map(({ id }, index) => [id, index]))
  return [...chosen].sort(byKey).flatMap(([, own]) => {
    const [first] = own
    const group = groups[first?.group ?? -1]
    if (first === undefined || group === undefined) return []
    const scenarios = own.map(({ scenario }) => scenario)
    scenarios.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0))
    return [cell(group.worlds, { ...clientsAt(group, first), raw: input.raw }, scenarios)]
  })
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1)

function clientsAt<Client extends ClientTitle>(
  group: CellGroup<Client>,
  { places }: Chosen,
): Clients<Client> {
  return Object.fromEntries(
    group.kinds.map(({ name, clients }, index) => [name, clients[places[index] ?? 0]]),
  )
}

/**
 * Whether a scenario is left to another plan by what it costs. The cheapest one of each requirement is never too dear: no
 * requirement goes without a scenario in the quick plan.
 */
function leaving<Client extends ClientTitle>(
  input: CellInput<Client>,
): (scenario: Scenario) => string | null {
  const { leave = null, costOf = guessedCost } = input
  if (leave === null) return () => null
  const cheapest = new Map<string, Scenario>()
  for (const scenario of input.scenarios) {
    if (reasonToLeaveOut(scenario, input) !== null) continue
    for (const id of scenario.requirementIds) {
      const other = cheapest.get(id)
      if (other === undefined || costOf(scenario) < costOf(other)) cheapest.set(id, scenario)
    }
  }
  const kept = new Set(cheapest.values())
  return (scenario) => {
    const isDear = costOf(scenario) > leave.msMax && !kept.has(scenario)
    if (leave.which === 'dear') return isDear ? LEFT_TO_REST : null
    return isDear ? null : 'they are in the quick plan'
  }
}

const LEFT_TO_REST = 'the slowest ones are left to --plan rest, or standard'

const worldChoices: readonly Worlds[] = ['kafka', 'pulsar', 'both', 'wrapper', 'raw', 'tools']
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
  readonly wrapper?: Client
}

/** The clients of each cell of some worlds and tools. */
function combinations<Client extends ClientTitle>(
  worlds: Worlds,
  tools: readonly ToolKind[],
  input: CellInput<Client>,
): Clients<Client>[] {
  const needed: Clients<Client>[][] = []
  if (worlds === 'kafka' || worlds === 'both' || worlds === 'wrapper') {
    needed.push(input.kafka.map((kafka) => ({ kafka })))
  }
  if (worlds === 'wrapper') needed.push((input.wrapper ?? []).map((wrapper) => ({ wrapper })))
  if (worlds === 'pulsar' || worlds === 'both') needed.push(input.pulsar.map((pulsar) => ({ pulsar })))
  if (tools.includes('pulsar-admin')) needed.push(input.pulsarAdmin.map((pulsarAdmin) => ({ pulsarAdmin })))
  if (tools.includes('kafka-admin')) needed.push(input.kafkaAdmin.map((kafkaAdmin) => ({ kafkaAdmin })))
  const first: Clients<Client>[] = [{}]
  return needed.reduce(
    (left, right) => pairs(left, right, input.pairs).map(([a, b]) => ({ ...a, ...b })),
    first,
  )
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
  const { kafka = null, raw, pulsarAdmin = null, kafkaAdmin = null } = clients
  // To reports it is the Pulsar client of its cells.
  const pulsar = clients.pulsar ?? clients.wrapper ?? null
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

/** What a scenario needs that a target of these endpoints does not speak; null: nothing. */
export function unspokenBy(endpoints: Endpoints, { worlds, tools }: Scenario): string | null {
  const needsKafka = !['pulsar', 'tools'].includes(worlds) || tools.includes('kafka-admin')
  const needsPulsar = worlds === 'pulsar' || worlds === 'both' || worlds === 'wrapper'
  if (needsKafka && endpoints.kafka === undefined) return 'the target does not speak Kafka'
  if (needsPulsar && endpoints.pulsar === undefined) return 'the target does not speak Pulsar'
  if (tools.includes('pulsar-admin') && endpoints.admin === undefined)
    return 'the target has no admin address'
  return null
}

function reasonToLeaveOut<Client extends ClientTitle>(
  scenario: Scenario,
  input: CellInput<Client>,
): string | null {
  const unspoken = unspokenBy(input.endpoints, scenario)
  if (unspoken !== null) return unspoken
  const { worlds, tools } = scenario
  const needsKafkaClient = worlds === 'kafka' || worlds === 'both' || worlds === 'wrapper'
  const needsPulsar = worlds === 'pulsar' || worlds === 'both'
  const { wrapper = [] } = input
  if (needsKafkaClient && input.kafka.length === 0) return 'there is no Kafka client in the plan'
  if (needsPulsar && input.pulsar.length === 0) return 'there is no Pulsar client in the plan'
  if (worlds === 'wrapper' && wrapper.length === 0) return 'the Pulsar–Kafka wrapper is not in the plan'
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
  return `${cases} cases spared: not every scenario runs with every client; each runs with at least one, and --clients name,… runs all that these can`
}
