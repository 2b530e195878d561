import { Then, When } from '@cucumber/cucumber'
import type { Fault } from '../matrix/chaos/ledger.js'
import { type ChaosOptions, type ChaosOutcome, runChaos } from '../matrix/chaos/run.js'
import { Unsupported } from '../matrix/driver/errors.js'
import { shortestSession } from './groups-members.js'
import { groupOf } from './groups-requests.js'
import { holds, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** The small form of `npm run chaos`. */
const TIMEOUT = { timeout: 115_000 }
const MEMBERS_EACH = 2

When(
  /^(\d+) records flow for (\d+) s to (\d+) partitions, and to members in (\d+) processes that die, hang, leave and come(?:, and the coordinator dies (\d+) times)?$/,
  TIMEOUT,
  async function (
    this: ConformanceWorld,
    records: number,
    seconds: number,
    partitions: number,
    processes: number,
    brokerKills: number | null,
  ) {
    await chaos(this, {
      target: this.hasInstance ? this.instance : { endpoints: this.endpoints, kill: never, start: never },
      ...{ records, partitions, processes, durationMs: seconds * 1000, brokerKills: brokerKills ?? 0 },
    })
  },
)

const never = () => Promise.reject(new Error('the target is not the scenario’s own'))

type Size = Pick<
  ChaosOptions,
  'target' | 'records' | 'durationMs' | 'partitions' | 'processes' | 'brokerKills'
>

async function chaos(world: ConformanceWorld, size: Size): Promise<void> {
  const { kafka, raw, seed } = world.parameters
  if (kafka === undefined || raw === undefined) throw new Unsupported('the cell lacks a client')
  const topic = { name: world.newName(), partitions: size.partitions }
  world.topics.push(topic)
  const outcome = await runChaos({
    ...size,
    ...{ client: kafka, raw, topic: topic.name, group: groupOf(world), seed },
    ...{ membersEach: MEMBERS_EACH, visitors: 1, assignor: 'roundrobin' },
    sessionTimeoutMs: await shortestSession(world),
    signal: new AbortController().signal,
  })
  world.notes.set('chaos', outcome)
}

function noFaults(world: ConformanceWorld, what: string, about: readonly Fault['about'][]): ChaosOutcome {
  const outcome = world.note<ChaosOutcome>('chaos')
  const faults = outcome.faults.filter((fault) => about.includes(fault.about)).map((fault) => fault.what)
  sameList(what, [], faults)
  return outcome
}

Then('each record was processed, and before it was committed', function (this: ConformanceWorld) {
  const { figures } = noFaults(this, 'what befell the records', ['records', 'end'])
  holds('records that were processed', figures.processed > 0, 'some', figures.processed)
})

Then('no committed offset went back', function (this: ConformanceWorld) {
  const { figures } = noFaults(this, 'what befell committed offsets', ['offsets'])
  holds('commits of members', figures.commits > 0, 'some', figures.commits)
})

Then('every rebalance ended', function (this: ConformanceWorld) {
  const { figures } = noFaults(this, 'rebalances', ['rebalances'])
  holds(
    'how often the members shared the partitions',
    figures.rebalances > 0,
    'once or more',
    figures.rebalances,
  )
})

Then('no partition had two owners in a generation', function (this: ConformanceWorld) {
  noFaults(this, 'owners', ['owners'])
})
