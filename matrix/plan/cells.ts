import type { Endpoints } from '../targets/types.js'
import type { Scenario, Worlds } from './scenarios.js'

/** A client as plans speak of it. `ReadyClient` and a choice not yet provisioned both are one. */
export interface ClientTitle {
  readonly name: string
  readonly version: string
}

/** One combination of clients, with the scenarios that it is to run. */
export interface Cell<Client extends ClientTitle = ClientTitle> {
  /** `kafkajs@2.2.4`, `kafkajs@2.2.4 × pulsar-client@1.18.0`, or `raw`. */
  readonly id: string
  readonly worlds: Worlds
  readonly kafka: Client | null
  readonly pulsar: Client | null
  readonly raw: Client | null
  readonly scenarios: readonly Scenario[]
}

export interface CellInput<Client extends ClientTitle> {
  readonly kafka: readonly Client[]
  readonly pulsar: readonly Client[]
  readonly raw: Client | null
  readonly scenarios: readonly Scenario[]
  readonly pairs: 'cover' | 'all'
  /** Which cells of a world run its scenarios that need a power over the target: its first, or (absent) all. */
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

/**
 * Plans cells: each world alone once a client, both worlds over pairs of clients, raw once. With `powers: 'once'`, the
 * quick plan's, scenarios that restart, kill, configure or spoil a target of their own run with the first client or
 * pair of their world only: they cost seconds each, and what they show is the target's behaviour.
 */
export function planCells<Client extends ClientTitle>(input: CellInput<Client>): CellPlan<Client> {
  const leftOut = new Map<string, Scenario[]>()
  const runnable = input.scenarios.filter((scenario) => {
    const reason = reasonToLeaveOut(scenario, input)
    if (reason !== null) leftOut.set(reason, [...(leftOut.get(reason) ?? []), scenario])
    return reason === null
  })
  const of = (worlds: Worlds) => runnable.filter((scenario) => scenario.worlds === worlds)
  let sparedCases = 0
  const share = (worlds: Worlds, index: number) => {
    const scenarios = of(worlds)
    if (input.powers !== 'once' || index === 0) return scenarios
    const shared = scenarios.filter(({ powers }) => powers.length === 0)
    sparedCases += scenarios.length - shared.length
    return shared
  }
  const cells = [
    ...input.kafka.map((kafka, index) => cell('kafka', { kafka, raw: input.raw }, share('kafka', index))),
    ...input.pulsar.map((pulsar, index) =>
      cell('pulsar', { pulsar, raw: input.raw }, share('pulsar', index)),
    ),
    ...pairs(input.kafka, input.pulsar, input.pairs).map(([kafka, pulsar], index) =>
      cell('both', { kafka, pulsar, raw: input.raw }, share('both', index)),
    ),
    cell('raw', { raw: input.raw }, of('raw')),
  ]
  return {
    sparedCases,
    cells: cells.filter(({ scenarios }) => scenarios.length > 0),
    leftOut: [...leftOut].map(([reason, scenarios]) => ({ reason, scenarios })),
  }
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
  clients: { kafka?: Client; pulsar?: Client; raw?: Client | null },
  scenarios: readonly Scenario[],
): Cell<Client> {
  const { kafka = null, pulsar = null, raw = null } = clients
  const titles = [kafka, pulsar].filter((client) => client !== null).map(titleOf)
  return { id: titles.length > 0 ? titles.join(' × ') : 'raw', worlds, kafka, pulsar, raw, scenarios }
}

function reasonToLeaveOut<Client extends ClientTitle>(
  scenario: Scenario,
  input: CellInput<Client>,
): string | null {
  const { endpoints } = input
  const needsKafka = scenario.worlds !== 'pulsar'
  const needsPulsar = scenario.worlds === 'pulsar' || scenario.worlds === 'both'
  if (needsKafka && endpoints.kafka === undefined) return 'the target does not speak Kafka'
  if (needsPulsar && endpoints.pulsar === undefined) return 'the target does not speak Pulsar'
  if (needsKafka && scenario.worlds !== 'raw' && input.kafka.length === 0) {
    return 'there is no Kafka client in the plan'
  }
  if (needsPulsar && input.pulsar.length === 0) return 'there is no Pulsar client in the plan'
  if ((scenario.raw || scenario.worlds === 'raw') && input.raw === null) {
    return 'the raw client is not in the plan'
  }
  return null
}

export function sparedLine(cases: number): string {
  return `${cases} cases left to --clients all or --pairs all: what needs a target of its own runs here with the first client or pair`
}
