// Members of groups that stay, by the promisified API. It tells neither a member's id nor its generation.
import { Unsupported } from '../lib/driver.mjs'
import { FAILURES } from '../lib/librdkafka.mjs'
import { inOrder, MemberState, openMemberOf } from '../lib/member-state.mjs'
import { orAfter } from '../lib/waiting.mjs'
import { toReceived } from './records.mjs'

const ASSIGNORS = ['range', 'roundrobin', 'cooperative-sticky']
const CLOSE_MS_MAX = 5000
const ASSIGN_PARTITIONS = -175

/** @param library what the driver has of the library: consumers of a group, its admin, its errors' names */
export function groupOps({ connectedAdmin, newConsumer, nameOf }) {
  const members = new Map()

  async function commit({ group, offsets }) {
    const consumer = newConsumer(group)
    await consumer.connect()
    try {
      await consumer.commitOffsets(offsets.map(toPosition))
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
      { failed: (error) => FAILURES.test(nameOf(error)) && state.failed(error) },
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
    if (positions.length > 0) await consumer.commitOffsets(positions)
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
