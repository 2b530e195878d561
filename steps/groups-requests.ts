import { encodeAssignment, encodeSubscription, type Partition } from './groups-protocol.js'
import { errorName } from './requests.js'
import { Mismatch, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Single requests to a group's coordinator, each member of a group on a connection of its own. */

export interface Offer {
  readonly protocolType: string
  readonly protocols: readonly string[]
}

export interface RawMember {
  /** As the scenario calls it. */
  readonly name: string
  readonly group: string
  readonly instanceId: string | null
  readonly offer: Offer
  sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** Empty: not told yet. */
  memberId: string
  generation: number
  leaderId: string
  protocol: string
  /** What the coordinator gave it, base64. */
  assignment: string
  /** As a leader is told them. */
  members: readonly { readonly memberId: string; readonly groupInstanceId?: string | null }[]
}

export interface JoinAnswer {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolType?: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment?: boolean
  readonly memberId: string
  readonly members: RawMember['members']
}

export interface SyncAnswer {
  readonly errorCode: number
  readonly assignment: string
}

/** Answers that say "ask again": the coordinator is on its way. */
const NOT_YET = [14, 15, 16]
const PATIENCE_MS = 15_000
const JOIN_ANSWER_MS = 30_000
const REBALANCE_IN_PROGRESS = 27
const MEMBER_ID_REQUIRED = 79
const UNKNOWN_MEMBER_ID = 25
const INVALID_SESSION_TIMEOUT = 26
const SESSION_MS = 10_000
/** Kafka's own, unless it is set otherwise. */
const LEAST_SESSION_MS = 6000
const REBALANCE_MS = 10_000

export const CONSUMER: Offer = { protocolType: 'consumer', protocols: ['range'] }

/* ---- Who and where ---------------------------------------------------------------------------------------------- */

/** The scenario's group; its first mention makes its name. */
export function groupOf(world: ConformanceWorld): string {
  return world.noted('group', () => world.newName('-group'))
}

/** Members by the names that the scenario gives them. */
export function membersOf(world: ConformanceWorld): Map<string, RawMember> {
  return world.noted('members', () => new Map<string, RawMember>())
}

export function member(world: ConformanceWorld, name: string): RawMember {
  const found = membersOf(world).get(name)
  if (found === undefined) throw new Error(`no step before has spoken of a member ${name}`)
  return found
}

export function newMember(
  world: ConformanceWorld,
  name: string,
  options: Partial<RawMember> = {},
): RawMember {
  const made: RawMember = {
    name,
    group: groupOf(world),
    instanceId: null,
    offer: CONSUMER,
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: REBALANCE_MS,
    memberId: '',
    generation: -1,
    leaderId: '',
    protocol: '',
    assignment: '',
    members: [],
    ...options,
  }
  membersOf(world).set(name, made)
  return made
}

/* ---- Asking ----------------------------------------------------------------------------------------------------- */

export interface Asked {
  readonly group: string
  /** Absent: one of the group that no member uses. */
  readonly connection?: string
  readonly version?: number | undefined
  readonly timeoutMs?: number
  /** Takes the first answer, whatever it is. */
  readonly once?: boolean
}

/** Asks the coordinator of a group, again and again while it says that it is on its way. */
export async function ask<Answer>(
  world: ConformanceWorld,
  api: string,
  body: Record<string, unknown>,
  asked: Asked,
): Promise<Answer> {
  const raw = await world.raw()
  const connection = await connectionTo(world, asked)
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await raw.call('request', {
      connection,
      api,
      body,
      ...(asked.version !== undefined && { version: asked.version }),
      timeoutMs: asked.timeoutMs ?? 20_000,
    })
    const isNotYet = asked.once !== true && NOT_YET.includes(firstError(answer.body))
    if (!isNotYet || Date.now() > deadline) return answer.body as Answer
  }
}

/** The first error code of an answer, wherever its form has it. */
export function firstError(body: unknown): number {
  if (typeof body !== 'object' || body === null) return 0
  const { errorCode } = body as { errorCode?: number }
  if (errorCode !== undefined && errorCode !== 0) return errorCode
  for (const value of Object.values(body)) {
    if (!Array.isArray(value)) continue
    for (const item of value) {
      const found = firstError(item)
      if (found !== 0) return found
    }
  }
  return 0
}

/** Opened once a scenario, to the broker that coordinates the group. */
async function connectionTo(world: ConformanceWorld, asked: Asked): Promise<string> {
  const name = `${asked.group} ${asked.connection ?? ''}`
  const open = world.noted('connections', () => new Set<string>())
  if (open.has(name)) return name
  const { host, port } = await coordinatorOf(world, asked.group)
  const raw = await world.raw()
  await raw.call('connect', { connection: name, port: 'kafka', address: `${host}:${port}` })
  open.add(name)
  return name
}

export interface Coordinator {
  readonly errorCode: number
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export async function coordinatorOf(
  world: ConformanceWorld,
  group: string,
  version?: number,
): Promise<Coordinator> {
  const raw = await world.raw()
  const deadline = Date.now() + PATIENCE_MS
  const body = { key: group, keyType: 0, coordinatorKeys: [group] }
  for (;;) {
    const answer = await raw.call('request', {
      api: 'FindCoordinator',
      body,
      ...(version !== undefined && { version }),
    })
    const { coordinators } = answer.body as { coordinators?: Coordinator[] }
    const found = coordinators === undefined ? (answer.body as unknown as Coordinator) : coordinators[0]
    if (found?.errorCode === 0) return found
    if (!NOT_YET.includes(found?.errorCode ?? 0) || Date.now() > deadline) {
      throw new Mismatch(`the coordinator of ${group}`, 'a broker', found ?? answer.body)
    }
  }
}

/* ---- Membership --------------------------------------------------------------------------------------------------- */

/** One JoinGroup, as the member is. Waits for the rebalance; changes nothing of what the member knows. */
export function joinOnce(world: ConformanceWorld, of: RawMember, version?: number): Promise<JoinAnswer> {
  const metadata = encodeSubscription(world.topics.map(({ name }) => name))
  const body = {
    groupId: of.group,
    sessionTimeoutMs: of.sessionTimeoutMs,
    rebalanceTimeoutMs: of.rebalanceTimeoutMs,
    memberId: of.memberId,
    groupInstanceId: of.instanceId,
    protocolType: of.offer.protocolType,
    protocols: of.offer.protocols.map((name) => ({ name, metadata })),
  }
  const asked = { ...at(of), version, timeoutMs: JOIN_ANSWER_MS }
  return ask<JoinAnswer>(world, 'JoinGroup', body, asked)
}

/** As clients join: again with the id that the first answer gave, where it asks for that. */
export async function join(world: ConformanceWorld, of: RawMember): Promise<JoinAnswer> {
  let answer = await joinOnce(world, of)
  if (answer.errorCode === INVALID_SESSION_TIMEOUT) {
    of.sessionTimeoutMs = LEAST_SESSION_MS
    answer = await joinOnce(world, of)
  }
  if (answer.errorCode === MEMBER_ID_REQUIRED) answer = await joinWithId(world, of, answer.memberId)
  if (answer.errorCode === UNKNOWN_MEMBER_ID && of.generation < 0) {
    // A coordinator that could not store the first join forgets the id with it: clients then begin anew.
    of.memberId = ''
    answer = await joinOnce(world, of)
    if (answer.errorCode === MEMBER_ID_REQUIRED) answer = await joinWithId(world, of, answer.memberId)
  }
  same(`the error as ${of.name} joins`, 'NONE', await errorName(world, answer.errorCode))
  of.memberId = answer.memberId
  of.generation = answer.generationId
  of.leaderId = answer.leader
  of.protocol = answer.protocolName ?? ''
  of.members = answer.members
  return answer
}

function joinWithId(world: ConformanceWorld, of: RawMember, memberId: string): Promise<JoinAnswer> {
  of.memberId = memberId
  return joinOnce(world, of)
}

/** What the leader gives: to the member of each id. */
export type Assignments = ReadonlyMap<string, string>

export function syncOnce(
  world: ConformanceWorld,
  of: RawMember,
  given: Assignments = new Map(),
  version?: number,
): Promise<SyncAnswer> {
  const body = {
    groupId: of.group,
    generationId: of.generation,
    memberId: of.memberId,
    groupInstanceId: of.instanceId,
    protocolType: of.offer.protocolType,
    protocolName: of.protocol,
    assignments: [...given].map(([memberId, assignment]) => ({ memberId, assignment })),
  }
  return ask<SyncAnswer>(world, 'SyncGroup', body, { ...at(of), version, timeoutMs: JOIN_ANSWER_MS })
}

export async function heartbeat(world: ConformanceWorld, of: RawMember): Promise<number> {
  const body = {
    groupId: of.group,
    generationId: of.generation,
    memberId: of.memberId,
    groupInstanceId: of.instanceId,
  }
  return (await ask<{ errorCode: number }>(world, 'Heartbeat', body, at(of))).errorCode
}

export interface LeaveAnswer {
  readonly errorCode: number
  readonly members?: readonly { memberId: string; groupInstanceId: string | null; errorCode: number }[]
}

export function leave(
  world: ConformanceWorld,
  group: string,
  leaving: readonly { memberId: string; groupInstanceId?: string | null }[],
  version?: number,
): Promise<LeaveAnswer> {
  const body = { groupId: group, memberId: leaving[0]?.memberId ?? '', members: leaving }
  return ask<LeaveAnswer>(world, 'LeaveGroup', body, { group, version })
}

/**
 * The group begins, or takes in `joining`: those who are in it learn of it by their heartbeats and join again. At the end
 * each has the assignment that the leader gave it: partitions of the scenario's first topic, one each.
 */
export async function rebalance(
  world: ConformanceWorld,
  current: readonly RawMember[],
  joining: readonly RawMember[],
): Promise<void> {
  const joined = joining.map((each) => join(world, each))
  await Promise.all(
    current.map(async (each) => {
      await awaitRebalance(world, each)
      await join(world, each)
    }),
  )
  await Promise.all(joined)
  await syncAll(world, [...current, ...joining])
}

export async function syncAll(world: ConformanceWorld, members: readonly RawMember[]): Promise<void> {
  const given = assignmentsFor(world, members)
  const answers = members.map(async (each) => {
    const answer = await syncOnce(world, each, each.leaderId === each.memberId ? given : new Map())
    same(`the error as ${each.name} syncs`, 'NONE', await errorName(world, answer.errorCode))
    same(`the assignment of ${each.name}`, given.get(each.memberId), answer.assignment)
    each.assignment = answer.assignment
  })
  await Promise.all(answers)
}

function assignmentsFor(world: ConformanceWorld, members: readonly RawMember[]): Map<string, string> {
  const topic = world.topics[0]?.name ?? 'none'
  const given = members.map((each, index) => {
    const partitions: Partition[] = [{ topic, partition: index }]
    return [each.memberId, encodeAssignment(partitions)] as const
  })
  return new Map(given)
}

/** Until its heartbeat says that the group is being rebalanced. */
export async function awaitRebalance(world: ConformanceWorld, of: RawMember): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const error = await heartbeat(world, of)
    if (error === REBALANCE_IN_PROGRESS) return
    if (error !== 0 || Date.now() > deadline) {
      const seen = await errorName(world, error)
      throw new Mismatch(`the heartbeat of ${of.name}`, 'REBALANCE_IN_PROGRESS', seen)
    }
  }
}

export const at = (of: RawMember): Asked => ({ group: of.group, connection: of.name })
