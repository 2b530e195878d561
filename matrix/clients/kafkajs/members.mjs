// Members of groups that stay, by kafkajs. It has the round-robin assignor only, no static members, no other protocol
// than the classic one; the generation it tells with its heartbeats alone, so an assignment may come without.
import { Unsupported } from '../lib/driver.mjs'
import { inOrder, MemberState, openMemberOf } from '../lib/member-state.mjs'
import { deferred, orAfter } from '../lib/waiting.mjs'

/** A member that closes while it joins can leave only when it has joined. */
const CLOSE_MS_MAX = 5000

/**
 * @param library what the driver has of kafkajs: the client of now, its admin, the settings of a consumer of a group,
 *   and how a record is told
 */
export function groupOps(library) {
  const { kafka, connectedAdmin, consumerConfig, subscribe, toReceived, running, isFirst } = library
  const members = new Map()

  async function commit({ group, offsets }) {
    const consumer = kafka().consumer(consumerConfig(group))
    const { joined, crashed } = lifeOf(consumer)
    const handle = { consumer }
    running.add(handle)
    try {
      await consumer.connect()
      const { state } = await consumer.describeGroup()
      if (state !== 'Empty' && state !== 'Dead')
        throw new Unsupported('kafkajs commits only as a member, and would disturb the group that has others')
      const topics = [...new Set(offsets.map(({ topic }) => topic))]
      await subscribe(consumer, topics, false)
      consumer.run({ autoCommit: false, eachMessage: async () => {} }).catch(() => {})
      // It must not fetch: kafkajs commits −2 where it finds that an offset is beyond the log's end.
      consumer.pause(topics.map((topic) => ({ topic })))
      await Promise.race([joined, crashed])
      await consumer.commitOffsets(offsets.map(toPosition))
    } finally {
      running.delete(handle)
      await consumer.disconnect()
    }
  }

  async function allCommitted({ group }) {
    if (isFirst)
      throw new Unsupported('this version of kafkajs asks for the commits of topics that are named')
    const client = await connectedAdmin()
    const answers = await client.fetchOffsets({ groupId: group })
    const offsets = answers.flatMap(({ topic, partitions }) =>
      partitions
        .filter(({ offset }) => BigInt(offset) >= 0n)
        .map(({ partition, offset, metadata }) => ({ topic, partition, offset, metadata })),
    )
    return { offsets: inOrder(offsets) }
  }

  async function openMember(args) {
    refuseWhatIsMissing(args)
    const { member, group, topics, from = 'earliest' } = args
    const config = consumerConfig(group)
    let isClosing = false
    const consumer = kafka().consumer({
      ...config,
      // A consumer that crashes while it is being stopped would start again, and stay in the group though nobody has it.
      retry: { ...config.retry, restartOnFailure: async () => !isClosing },
      sessionTimeout: args.sessionTimeoutMs ?? 10_000,
      heartbeatInterval: args.heartbeatIntervalMs ?? 500,
    })
    const opened = followed(consumer, () => {
      isClosing = true
    })
    try {
      await consumer.connect()
      await subscribe(consumer, topics, from === 'earliest')
    } catch (error) {
      consumer.disconnect().catch(() => {})
      throw error
    }
    members.set(member, opened)
    // It resolves when the member has joined; a failure is the crash that `followed` sees.
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch, heartbeat }) => {
          for (const message of batch.messages)
            opened.state.received({ topic: batch.topic, ...toReceived(batch.partition, message) })
          if (opened.state.full) pauseAll(opened)
          await heartbeat()
        },
      })
      .catch((error) => opened.state.failed(error))
  }

  async function assignment({ member, count, timeoutMs = 20_000 }) {
    const opened = openMemberOf(members, member)
    const seen = await opened.state.assignment(count, timeoutMs)
    return {
      ...(opened.memberId === null ? {} : { memberId: opened.memberId }),
      ...(opened.generation === null ? {} : { generation: opened.generation }),
      ...seen,
    }
  }

  async function memberPoll({ member, count, timeoutMs = 15_000 }) {
    const opened = openMemberOf(members, member)
    const polled = opened.state.poll(count, timeoutMs)
    if (!opened.state.full) resumeAll(opened)
    const records = await polled
    if (!opened.state.full) resumeAll(opened)
    return { records }
  }

  async function memberCommit({ member, offsets }) {
    const { consumer, state, crash } = openMemberOf(members, member)
    // kafkajs answers a commit of a member that has crashed as if it had been done.
    if (crash()) throw crash()
    await consumer.commitOffsets(offsets?.map(toPosition) ?? state.positions)
    if (crash()) throw crash()
  }

  async function closeMember({ member }) {
    const opened = openMemberOf(members, member)
    members.delete(member)
    await orAfter(CLOSE_MS_MAX, opened.close())
  }

  return {
    ops: { commit, allCommitted, openMember, assignment, memberPoll, memberCommit, closeMember },
    closeAll() {
      for (const opened of members.values()) opened.close().catch(() => {})
      members.clear()
    },
  }
}

function refuseWhatIsMissing({ assignor = 'range', protocol = 'classic', instanceId }) {
  if (protocol !== 'classic') throw new Unsupported('kafkajs has no group protocol but the classic one')
  if (instanceId !== undefined) throw new Unsupported('kafkajs has no static members')
  if (assignor !== 'roundrobin') throw new Unsupported(`kafkajs has no ${assignor} assignor`)
}

/** A consumer with what its events tell: kafkajs gives up all partitions when it joins again. */
function followed(consumer, beforeStop) {
  const state = new MemberState()
  const opened = { consumer, state, memberId: null, generation: null, crash: () => crash, close }
  let crash = null
  let settled = deferred()
  const giveUp = () => (state.partitions.length > 0 ? state.revoked(state.partitions) : undefined)
  consumer.on(consumer.events.REBALANCING, giveUp)
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    // The coordinator knew the member no more, and kafkajs joined as another without saying that it rebalances.
    if (opened.memberId !== payload.memberId) state.lost(state.partitions)
    else giveUp()
    opened.memberId = payload.memberId
    opened.generation = null
    crash = null
    state.recovered()
    resumeAll(opened)
    const places = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    state.assigned(places)
    afterwards(settled.resolve)
  })
  consumer.on(consumer.events.HEARTBEAT, ({ payload }) => {
    opened.generation = payload.groupGenerationId
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    state.lost(state.partitions)
    if (payload.restart) settled = deferred()
    else {
      crash = payload.error
      state.failed(crash)
      afterwards(settled.resolve)
    }
  })
  /** While it joins, kafkajs cannot leave: it would join nevertheless, and stay. */
  async function close() {
    await settled.promise
    beforeStop()
    await consumer.disconnect()
  }
  return opened
}

/** kafkajs tells of an event before it is done with it: only then can the consumer commit, or leave. */
function afterwards(run) {
  setImmediate(run)
}

function lifeOf(consumer) {
  const joined = deferred()
  const crashed = deferred()
  consumer.on(consumer.events.GROUP_JOIN, () => afterwards(joined.resolve))
  consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || crashed.reject(payload.error))
  return { joined: joined.promise, crashed: crashed.promise }
}

function pauseAll({ consumer, state }) {
  for (const { topic, partition } of state.partitions) consumer.pause([{ topic, partitions: [partition] }])
}

function resumeAll({ consumer }) {
  const paused = consumer.paused()
  if (paused.length > 0) consumer.resume(paused)
}

function toPosition({ topic, partition = 0, offset, metadata }) {
  return { topic, partition, offset, ...(metadata === undefined ? {} : { metadata }) }
}
