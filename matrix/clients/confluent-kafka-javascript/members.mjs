// Members of groups that stay, by the promisified API. It tells neither a member's id nor its generation.
import { setTimeout as delay } from 'node:timers/promises'
import { DriverError, Unsupported } from '../lib/driver.mjs'
import { FAILURES } from '../lib/librdkafka.mjs'
import { inOrder, MemberState, openMemberOf } from '../lib/member-state.mjs'
import { orAfter } from '../lib/waiting.mjs'
import { toReceived } from './records.mjs'

const ASSIGNORS = ['range', 'roundrobin', 'cooperative-sticky']
const CLOSE_MS_MAX = 5000
const COMMITTED_MS_MAX = 10_000
const SEEN_MS_MAX = 3000
const SEEN_LOOK_MS = 20
const ASSIGN_PARTITIONS = -175

/** @param library what the driver has of the library: consumers of a group, its admin, its errors' names */
export function groupOps({ connectedAdmin, newConsumer, nameOf, newerProtocol }) {
  const members = new Map()

  async function commit({ group, offsets }) {
    const { groups } = await (await connectedAdmin()).describeGroups([group])
    // What a broker answers to a commit into a group with members would not be told.
    if (groups.some(({ members }) => members.length > 0))
      throw new Unsupported("the promisified API does not tell a broker's refusal of a commit")
    const consumer = newConsumer(group)
    await consumer.connect()
    try {
      await commitAndSee(consumer, offsets.map(toPosition))
    } finally {
      consumer.disconnect().catch(() => {})
    }
  }

  async function allCommitted({ group }) {
    const answers = await (await connectedAdmin()).fetchOffsets({ groupId: group })
    const offsets = answers.flatMap(({ topic, partitions }) =>
      partitions
        .filter(({ offset }) => BigInt(offset) >= 0n)
        .map(({ partition, offset, metadata }) => ({ topic, partition, offset, metadata: metadata ?? '' })),
    )
    return { offsets: inOrder(offsets) }
  }

  async function openMember(args) {
    if (args.protocol === 'consumer' && !newerProtocol)
      throw new Unsupported("this version's librdkafka has the consumer protocol at most as a preview")
    const settings = membership(args)
    const state = new MemberState()
    const consumer = newConsumer(
      args.group,
      {
        ...settings,
        'allow.auto.create.topics': false,
        'auto.offset.reset': args.from ?? 'earliest',
        rebalance_cb: async ({ code }, places, { assignmentLost }) => {
          if (code === ASSIGN_PARTITIONS) {
            state.recovered()
            state.assigned(places)
          } else if (assignmentLost()) state.lost(places)
          else state.revoked(places)
        },
      },
      { failed: (error) => FAILURES.test(nameOf(error)) && state.failed(behind(error, args.protocol)) },
    )
    await consumer.connect()
    members.set(args.member, { consumer, state })
    await consumer.subscribe({ topics: args.topics })
    await consumer.run({
      eachMessage: async ({ topic, partition, message }) => {
        state.received({ topic, ...toReceived(partition, message) })
        if (state.full) consumer.pause([{ topic, partitions: [partition] }])
      },
    })
  }

  async function assignment({ member, count, timeoutMs = 20_000 }) {
    return openMemberOf(members, member).state.assignment(count, timeoutMs)
  }

  async function memberPoll({ member, count, timeoutMs = 15_000 }) {
    const opened = openMemberOf(members, member)
    const polled = opened.state.poll(count, timeoutMs)
    goOn(opened)
    const records = await polled
    goOn(opened)
    return { records }
  }

  async function memberCommit({ member, offsets }) {
    const { consumer, state } = openMemberOf(members, member)
    const positions = (offsets ?? state.positions).map(toPosition)
    if (positions.length > 0) await commitAndSee(consumer, positions, () => state.failure)
  }

  async function closeMember({ member }) {
    const { consumer } = openMemberOf(members, member)
    members.delete(member)
    await orAfter(CLOSE_MS_MAX, consumer.disconnect())
  }

  return {
    ops: { commit, allCommitted, openMember, assignment, memberPoll, memberCommit, closeMember },
    closeAll() {
      for (const { consumer } of members.values()) consumer.disconnect().catch(() => {})
      members.clear()
    },
  }
}

/** The library does not tell what was fatal. A consumer of the classic protocol librdkafka gives up for one reason alone. */
function behind(error, protocol = 'classic') {
  if (error.name !== '_FATAL' || protocol !== 'classic') return error
  return new DriverError('FENCED_INSTANCE_ID', error.message)
}

/**
 * The library's promise of a commit is kept when the request is on its way, and tells no refusal: what the broker has
 * soon after tells whether it took it.
 * @param failure why the member has failed, as far as its log told; null: it has not
 */
export async function commitAndSee(consumer, positions, failure = () => null) {
  await consumer.commitOffsets(positions)
  const deadline = Date.now() + SEEN_MS_MAX
  while (failure() === null && Date.now() < deadline) {
    if (await isCommitted(consumer, positions)) return
    await delay(SEEN_LOOK_MS)
  }
  throw failure() ?? new Unsupported("the promisified API does not tell a broker's refusal of a commit")
}

async function isCommitted(consumer, positions) {
  const places = positions.map(({ topic, partition }) => ({ topic, partition }))
  const committed = await consumer.committed(places, COMMITTED_MS_MAX)
  return positions.every(({ topic, partition, offset }) =>
    committed.some((one) => one.topic === topic && one.partition === partition && one.offset === offset),
  )
}

function goOn({ consumer, state }) {
  if (state.full) return
  const paused = consumer.paused()
  if (paused.length > 0) consumer.resume(paused)
}

function membership({
  protocol = 'classic',
  assignor = 'range',
  instanceId,
  sessionTimeoutMs,
  heartbeatIntervalMs,
}) {
  const instance = instanceId === undefined ? {} : { 'group.instance.id': instanceId }
  if (protocol === 'consumer') return { ...instance, 'group.protocol': 'consumer' }
  if (!ASSIGNORS.includes(assignor)) throw new Unsupported(`librdkafka has no ${assignor} assignor`)
  return {
    ...instance,
    'partition.assignment.strategy': assignor,
    'session.timeout.ms': sessionTimeoutMs ?? 10_000,
    'heartbeat.interval.ms': heartbeatIntervalMs ?? 500,
  }
}

function toPosition({ topic, partition = 0, offset, metadata }) {
  return { topic, partition, offset, ...(metadata === undefined ? {} : { metadata }) }
}
