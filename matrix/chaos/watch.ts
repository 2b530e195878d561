import { setTimeout as delay } from 'node:timers/promises'
import { decodeAssignment } from '../../steps/groups-protocol.js'
import { DriverError } from '../driver/errors.js'
import type { KafkaOps } from '../driver/messages.js'
import type { TypedDriver } from '../driver/process.js'
import type { RawOps } from '../driver/raw-messages.js'
import type { Ledger } from './ledger.js'

const PERIOD_MS = 200
const ANSWER_MS = 5_000
const CONNECTION = 'coordinator'

export interface Watched {
  readonly group: string
  readonly topic: string
  readonly ledger: Ledger
  readonly signal: AbortSignal
}

/** Reads again and again what the group has committed. */
export async function watchCommitted(driver: TypedDriver<KafkaOps>, watched: Watched): Promise<void> {
  const { group, topic, ledger, signal } = watched
  while (!signal.aborted) {
    const { floor } = ledger
    try {
      const { offsets } = await driver.call('allCommitted', { group })
      const own = offsets.filter((each) => each.topic === topic)
      ledger.committed(new Map(own.map(({ partition, offset }) => [partition, BigInt(offset)])), floor)
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
    }
    await delay(PERIOD_MS)
  }
}

interface Described {
  readonly groups: readonly {
    readonly errorCode: number
    readonly groupState: string
    readonly members: readonly { readonly memberId: string; readonly memberAssignment: string }[]
  }[]
}

/** Has the coordinator describe the group, again and again, by single requests. */
export async function watchGroup(raw: TypedDriver<RawOps>, watched: Watched): Promise<void> {
  const { group, ledger, signal } = watched
  let isConnected = false
  while (!signal.aborted) {
    try {
      isConnected ||= await connectToCoordinator(raw, group)
      if (isConnected) await describe(raw, group, ledger)
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      isConnected = false
      ledger.interrupted()
    }
    await delay(PERIOD_MS)
  }
}

/** @returns whether there is one by now */
async function connectToCoordinator(raw: TypedDriver<RawOps>, group: string): Promise<boolean> {
  const asked = { api: 'FindCoordinator', body: { key: group, keyType: 0 }, timeoutMs: ANSWER_MS }
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
  if (described === undefined || described.errorCode !== 0) return ledger.interrupted()
  const members = described.members.map(({ memberId, memberAssignment }) => ({
    memberId,
    partitions: memberAssignment === '' ? [] : decodeAssignment(memberAssignment),
  }))
  ledger.described(described.groupState, members, performance.now())
}
