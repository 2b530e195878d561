import type { CostOf } from './costs.js'
import type { Scenario } from './scenarios.js'

/*
 * Which of the clients run which scenarios. A suite of hundreds of scenarios and tens of clients, each in several
 * versions, is too much to run every scenario with every client: a plan is a covering. It goes in two passes:
 *
 *  1. Each scenario runs: what is cheap with each client in its newest version, or with one of them; what is dear, manages
 *     by a tool or needs a target of its own shows the target rather than the client, and runs with one. Scenarios of
 *     both worlds meet each client of either, and go through the pairs: scenario by scenario another pairing, so that all
 *     pairs are met together.
 *  2. Each client@version then meets what it has not met yet: one scenario of each outline, or of each requirement. What
 *     is beside it in a pair stays the same.
 *
 * "One of them" goes round, in the order of the suite: nothing is chosen by chance, and the same suite, selection and
 * clients give the same plan on every machine.
 */

/** How widely a plan spreads its scenarios. */
export interface Breadth {
  /** What is cheap runs with each client in its newest version, or with one in turn. */
  readonly cheap: 'each' | 'one'
  /** A dearer scenario is not cheap. */
  readonly cheapMsMax: number
  /** What each client must meet beside: one scenario of each outline, of each requirement, or nothing. */
  readonly newest: readonly Unit[]
  readonly older: readonly Unit[]
}
export type Unit = 'outline' | 'requirement'

/** One scenario and the places of its clients in the lists of its group. */
export interface Chosen {
  readonly group: number
  readonly scenario: Scenario
  readonly places: readonly number[]
}

/** Scenarios that need clients of the same kinds. */
export interface Group {
  readonly scenarios: readonly Scenario[]
  readonly kinds: readonly Kind[]
}

/** Clients of a kind. Those of one name are versions of one client, the last is its newest. */
export interface Kind {
  readonly name: 'kafka' | 'pulsar' | 'wrapper' | 'pulsarAdmin' | 'kafkaAdmin'
  readonly clients: readonly Versioned[]
}
const toolKinds: readonly Kind['name'][] = ['pulsarAdmin', 'kafkaAdmin']

interface Versioned {
  readonly name: string
  readonly version: string
}

export interface CoverOptions {
  readonly breadth: Breadth
  readonly pairs: 'cover' | 'all'
  readonly costOf: CostOf
}

export function cover(groups: readonly Group[], options: CoverOptions): Chosen[] {
  const covering = new Covering(groups, options)
  covering.eachScenario()
  covering.eachClient()
  return covering.chosen
}

class Covering {
  readonly chosen: Chosen[] = []
  readonly #groups: readonly Group[]
  readonly #options: CoverOptions
  /** For each kind of each group, the places of the newest versions. */
  readonly #newest: readonly (readonly (readonly number[])[])[]
  readonly #taken = new Set<string>()
  /** `client unit`: met by now. */
  readonly #met = new Set<string>()
  /** How many scenarios of a group went round. */
  readonly #turns: number[]

  constructor(groups: readonly Group[], options: CoverOptions) {
    this.#groups = groups
    this.#options = options
    this.#newest = groups.map(({ kinds }) => kinds.map(({ clients }) => newestPlaces(clients)))
    this.#turns = groups.map(() => 0)
  }

  /** The first pass. */
  eachScenario(): void {
    for (const [group, { scenarios, kinds }] of this.#groups.entries()) {
      for (const [index, scenario] of scenarios.entries()) {
        if (kinds.length === 0) this.#take(group, scenario, [])
        else if (!this.#isEach(scenario)) this.#take(group, scenario, this.#nextTurn(group))
        else for (const places of this.#everyClient(group, index)) this.#take(group, scenario, places)
      }
    }
  }

  /** The second pass, in the order of kinds, clients, and units. */
  eachClient(): void {
    for (const unit of ['outline', 'requirement'] as const) {
      for (const [title, client] of this.#clients()) {
        const { newest, older } = this.#options.breadth
        if (!(client.isNewest ? newest : older).includes(unit)) continue
        for (const [key, all] of this.#candidatesFor(client.kind, unit)) {
          const one = all[client.place % all.length]
          if (one === undefined || this.#met.has(`${title} ${key}`)) continue
          const { group, scenario, kind } = one
          const places = this.#partners(group, client).with(kind, client.place)
          this.#take(group, scenario, places)
        }
      }
    }
  }

  #isEach(scenario: Scenario): boolean {
    return this.#options.breadth.cheap === 'each' && scenario.tools.length === 0 && this.#isCheap(scenario)
  }

  #isCheap(scenario: Scenario): boolean {
    const { breadth, costOf } = this.#options
    return scenario.powers.length === 0 && !scenario.slow && costOf(scenario) <= breadth.cheapMsMax
  }

  /** Each newest client of each kind at least once; the others beside it change from scenario to scenario. */
  #everyClient(group: number, index: number): number[][] {
    const newest = this.#newest[group] ?? []
    if (this.#options.pairs === 'all') return product(newest)
    const count = Math.max(...newest.map((places) => places.length))
    return Array.from({ length: count }, (_, turn) =>
      newest.map((places, kind) => at(places, kind === 0 ? turn : turn + index)),
    )
  }

  /** The next of the newest of each kind; after as many turns as there are combinations, each was there once. */
  #nextTurn(group: number): number[] {
    const newest = this.#newest[group] ?? []
    const turn = this.#turns[group] ?? 0
    this.#turns[group] = turn + 1
    let period = 1
    return newest.map((places, kind) => {
      const shift = kind === 0 ? 0 : Math.floor(turn / leastMultiple(period, places.length))
      period *= places.length
      return at(places, turn + shift)
    })
  }

  /**
   * The clients beside one that meets what it has not met: always the same, so that few processes are started for it. An
   * older version meets older versions too, which then need no cases of their own.
   */
  #partners(group: number, { place, isNewest }: { place: number; isNewest: boolean }): number[] {
    const kinds = this.#groups[group]?.kinds ?? []
    return kinds.map(({ clients }, kind) =>
      isNewest ? at(this.#newest[group]?.[kind] ?? [], place) : place % clients.length,
    )
  }

  #take(group: number, scenario: Scenario, places: readonly number[]): void {
    const key = `${scenario.id} ${group} ${places.join()}`
    if (this.#taken.has(key)) return
    this.#taken.add(key)
    this.chosen.push({ group, scenario, places })
    for (const [kind, place] of places.entries()) {
      const client = this.#groups[group]?.kinds[kind]?.clients[place]
      if (client === undefined) continue
      for (const unit of [...unitsOf(scenario, 'outline'), ...unitsOf(scenario, 'requirement')]) {
        this.#met.add(`${titleOf(client)} ${unit}`)
      }
    }
  }

  /**
   * By unit, the scenarios that may stand for it with a client of a kind: the cheap ones. Where a requirement has none,
   * those that only need a target with settings of its own; what a tool manages, and what ends the target, is no matter
   * of a client.
   */
  #candidatesFor(name: Kind['name'], unit: Unit): Map<string, readonly Candidate[]> {
    const cheap = new Map<string, Candidate[]>()
    const configured = new Map<string, Candidate[]>()
    for (const [group, { scenarios, kinds }] of this.#groups.entries()) {
      const kind = kinds.findIndex((each) => each.name === name)
      if (kind < 0) continue
      for (const scenario of scenarios) {
        if (scenario.tools.length > 0 !== toolKinds.includes(name)) continue
        const found = this.#isCheap(scenario) ? cheap : isConfigured(scenario) ? configured : null
        for (const key of unitsOf(scenario, unit)) {
          found?.set(key, [...(found.get(key) ?? []), { group, scenario, kind }])
        }
      }
    }
    return unit === 'outline' ? cheap : new Map([...configured, ...cheap])
  }

  /** By title. */
  #clients(): Map<string, { kind: Kind['name']; place: number; isNewest: boolean }> {
    const clients = new Map<string, { kind: Kind['name']; place: number; isNewest: boolean }>()
    for (const [group, { kinds }] of this.#groups.entries()) {
      for (const [index, { name, clients: own }] of kinds.entries()) {
        for (const [place, client] of own.entries()) {
          const isNewest = this.#newest[group]?.[index]?.includes(place) === true
          clients.set(titleOf(client), { kind: name, place, isNewest })
        }
      }
    }
    return clients
  }
}

interface Candidate {
  readonly group: number
  readonly scenario: Scenario
  /** The place of the kind in the group's. */
  readonly kind: number
}

const titleOf = ({ name, version }: Versioned): string => `${name}@${version}`

function isConfigured({ powers, slow }: Scenario): boolean {
  return !slow && powers.length > 0 && powers.every((power) => power === 'configure')
}

function unitsOf(scenario: Scenario, unit: Unit): string[] {
  if (unit === 'requirement') return [...scenario.requirementIds]
  return [scenario.id.split('#')[0] ?? scenario.id]
}

/** Where the last version of each name stands. */
export function newestPlaces(clients: readonly Versioned[]): number[] {
  const byName = new Map(clients.map(({ name }, place) => [name, place]))
  return [...byName.values()].sort((a, b) => a - b)
}

function product(lists: readonly (readonly number[])[]): number[][] {
  return lists.reduce<number[][]>(
    (before, list) => before.flatMap((places) => list.map((place) => [...places, place])),
    [[]],
  )
}

function at(places: readonly number[], turn: number): number {
  return places[turn % places.length] ?? 0
}

function leastMultiple(a: number, b: number): number {
  let multiple = a
  while (multiple % b !== 0) multiple += a
  return multiple
}
