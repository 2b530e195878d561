import { setTimeout as delay } from 'node:timers/promises'
import { decodeAssignment } from '../../steps/groups-protocol.js'
import { DriverError } from '../driver/errors.js'
import type { TypedDriver } from '../driver/process.js'
import type { RawOps } from '../driver/raw-messages.js'
import type { Ledger } from './ledger.js'

const PERIOD_MS = 200
const ANSWER_MS = 5_000
const CONNECTION = 'coordinator'
const FIRST_CONNECTION = 'any-broker'

export interface Watched {
  readonly group: string
  readonly topic: string
  readonly ledger: Ledger
  readonly signal: AbortSignal
}

interface Described {
  readonly groups: readonly {
    readonly errorCode: number
    readonly groupState: string
    readonly members: readonly { readonly memberId: string; readonly memberAssignment: string }[]
  }[]
}

interface Committed {
  readonly errorCode: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly committedOffset: string }[]
  }[]
}

/**
 * Asks the coordinator, again and again, for the group and for all that it has committed. By single requests: libraries
 * ask in their own time, and one of them has ended its process when the coordinator went away under the question.
 */
export async function watchGroup(raw: TypedDriver<RawOps>, watched: Watched): Promise<void> {
  const { group, ledger, signal } = watched
  let isConnected = false
  while (!signal.aborted) {
    try {
      isConnected ||= await connectToCoordinator(raw, group)
      if (isConnected) {
        await describe(raw, group, ledger)
        await readCommitted(raw, watched)
      }
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      isConnected = false
      ledger.interrupted(performance.now())
    }
    await delay(PERIOD_MS)
  }
}

/** Over a new connection: an answer that came too late may still be in the old one. @returns whether there is one by now */
async function connectToCoordinator(raw: TypedDriver<RawOps>, group: string): Promise<boolean> {
  await raw.call('connect', { connection: FIRST_CONNECTION, port: 'kafka' })
  const asked = {
    connection: FIRST_CONNECTION,
    api: 'FindCoordinator',
    body: { key: group, keyType: 0 },
    timeoutMs: ANSWER_MS,
  }
  const { body } = await raw.call('request', asked)
  if (body.errorCode !== 0) return false
  await raw.call('connect', { connection: CONNECTION, port: 'kafka', address: `${body.host}:${body.port}` })
  return true
}

async function describe(raw: TypedDriver<RawOps>, group: string, ledger: Ledger): Promise<void> {
  const asked = { connection: CONNECTION, api: 'DescribeGroups', timeoutMs: ANSWER_MS }
  const { body } = await raw.call('request', {
    ...asked,
    body: { groups: [group], includeAuthorizedOperations: false },
  })
  const [described] = (body as unknown as Described).groups
  // Loading, or another broker's by now.
  if (described === undefined || described.errorCode !== 0) return ledger.interrupted(performance.now())
  const members = described.members.map(({ memberId, memberAssignment }) => ({
    memberId,
    partitions: memberAssignment === '' ? [] : decodeAssignment(memberAssignment),
  }))
  ledger.described(described.groupState, members, performance.now())
}

async function readCommitted(raw: TypedDriver<RawOps>, { group, topic, ledger }: Watched): Promise<void> {
  const { floor } = ledger
  const asked = { connection: CONNECTION, api: 'OffsetFetch', timeoutMs: ANSWER_MS }
  const { body } = await raw.call('request', {
    ...asked,
    body: { groupId: group, topics: null, requireStable: false },
  })
  const { errorCode, topics } = body as unknown as Committed
  if (errorCode !== 0) return
  const partitions = topics.find(({ name }) => name === topic)?.partitions ?? []
  const offsets = partitions.map(
    ({ partitionIndex, committedOffset }) => [partitionIndex, BigInt(committedOffset)] as const,
  )
  ledger.committed(new Map(offsets), floor)
}
