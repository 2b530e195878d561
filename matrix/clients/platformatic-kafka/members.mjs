// Members of groups that stay, by @platformatic/kafka. It has the round-robin assignor only, and commits no metadata; the
// newer protocol's generation it does not tell.
import { Unsupported } from '../lib/driver.mjs'
import { inOrder, MemberState, openMemberOf } from '../lib/member-state.mjs'
import { orAfter } from '../lib/waiting.mjs'
import { nameOf } from './names.mjs'
import { toReceived } from './records.mjs'

const CLOSE_MS_MAX = 5000
const REBALANCE_MS = 20_000
const OPEN_GROUP_STATES = ['EMPTY', 'DEAD']

/** @param library what the driver has of @platformatic/kafka: consumers of a group, and its admin's methods */
export function groupOps({ newConsumer, ownAdmin, has, required }) {
  const members = new Map()

  async function commit({ group, offsets }) {
    refuseMetadata(offsets)
    if (!has('alterConsumerGroupOffsets')) return commitAsMember(group, offsets)
    const topics = [...new Set(offsets.map(({ topic }) => topic))].map((name) => ({
      name,
      partitionOffsets: offsets
        .filter(({ topic }) => topic === name)
        .map(({ partition = 0, offset }) => ({ partition, offset: BigInt(offset) })),
    }))
    await required('alterConsumerGroupOffsets')({ groupId: group, topics })
  }

  /** Older versions commit only as a member. */
  async function commitAsMember(group, offsets) {
    const described = await ownAdmin().describeGroups({ groups: [group] })
    const { state = 'EMPTY' } = described.get(group) ?? {}
    if (!OPEN_GROUP_STATES.includes(state.toUpperCase()))
      throw new Unsupported(
        'this version commits only as a member, and would disturb the group that has others',
      )
    const consumer = newConsumer(group)
    try {
      for (const { topic } of offsets) consumer.topics.track(topic)
      await consumer.joinGroup({})
      await consumer.commit({ offsets: offsets.map(toPosition) })
    } finally {
      await consumer.close(true)
    }
  }

  async function committed(group, topic, partition) {
    if (!has('listConsumerGroupOffsets')) return committedOfConsumer(group, topic, partition)
    const [answer] = await required('listConsumerGroupOffsets')({
      groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: [partition] }] }],
    })
    const found = answer?.topics
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
    if (!found) return { offset: '-1', metadata: null }
    return { offset: String(found.committedOffset), metadata: found.metadata ?? null }
  }

  async function committedOfConsumer(group, topic, partition) {
    const consumer = newConsumer(group)
    try {
      const found = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [partition] }] })
      return { offset: String(found.get(topic)?.[partition] ?? -1n) }
    } finally {
      await consumer.close(true)
    }
  }

  async function allCommitted({ group }) {
    const [answer] = await required('listConsumerGroupOffsets')({ groups: [group] })
    const offsets = (answer?.topics ?? []).flatMap(({ name, partitions }) =>
      partitions
        .filter(({ committedOffset }) => committedOffset >= 0n)
        .map(({ partitionIndex, committedOffset, metadata }) => ({
          topic: name,
          partition: partitionIndex,
          offset: String(committedOffset),
          metadata,
        })),
    )
    return { offsets: inOrder(offsets) }
  }

  async function openMember(args) {
    refuseWhatIsMissing(args)
    const member = new Member(newConsumer(args.group, membership(args)), args)
    members.set(args.member, member)
    member.run()
  }

  async function assignment({ member, count, timeoutMs = 20_000 }) {
    const opened = openMemberOf(members, member)
    const seen = await opened.state.assignment(count, timeoutMs)
    return { ...opened.identity, ...seen }
  }

  async function memberPoll({ member, count, timeoutMs = 15_000 }) {
    const opened = openMemberOf(members, member)
    const polled = opened.state.poll(count, timeoutMs)
    opened.goOn()
    const records = await polled
    opened.goOn()
    return { records }
  }

  async function memberCommit({ member, offsets }) {
    if (offsets) refuseMetadata(offsets)
    await openMemberOf(members, member).commit(offsets)
  }

  async function closeMember({ member }) {
    const opened = openMemberOf(members, member)
    members.delete(member)
    await orAfter(CLOSE_MS_MAX, opened.close())
  }

  return {
    ops: { commit, allCommitted, openMember, assignment, memberPoll, memberCommit, closeMember },
    committed,
    closeAll() {
      for (const opened of members.values()) opened.close().catch(() => {})
      members.clear()
    },
  }
}

class Member {
  state = new MemberState()
  #consumer
  #args
  #stream = null
  #memberId = null
  #fencing = null

  constructor(consumer, args) {
    this.#consumer = consumer
    this.#args = args
    consumer.on('error', (error) => this.state.failed(error))
    // It says so, and goes on.
    consumer.on('consumer:heartbeat:error', ({ error }) => {
      if (nameOf(error) === 'FENCED_INSTANCE_ID') this.#fenced(error)
    })
    consumer.on('consumer:group:rebalance', () => this.#giveUpForNow())
    consumer.on('consumer:group:join', (joined) => this.#joined(joined))
    // The newer protocol has no event for what is assigned: a heartbeat's answer brings it.
    if (args.protocol === 'consumer')
      consumer.on('consumer:heartbeat:end', () => setImmediate(() => this.#compare()))
  }

  get identity() {
    const { memberId, generationId } = this.#consumer
    const isClassic = this.#args.protocol !== 'consumer'
    return {
      ...(memberId === null ? {} : { memberId }),
      ...(isClassic && memberId !== null ? { generation: generationId } : {}),
    }
  }

  run() {
    const { topics, from = 'earliest' } = this.#args
    this.#consumer
      .consume({ topics, mode: 'committed', fallbackMode: from, autocommit: false })
      .then((stream) => this.#follow(stream))
      .catch((error) => this.state.failed(error))
  }

  goOn() {
    if (!this.state.full && this.#stream?.isPaused()) this.#stream.resume()
  }

  async commit(offsets) {
    if (this.#fencing !== null) throw this.#fencing
    const positions = offsets ?? this.state.positions
    if (positions.length > 0) await this.#consumer.commit({ offsets: positions.map(toPosition) })
  }

  close() {
    return this.#consumer.close(true)
  }

  #fenced(error) {
    this.#fencing = error
    this.state.lost(this.state.partitions)
    this.state.failed(error)
  }

  #follow(stream) {
    this.#stream = stream
    stream.on('offsets', () => {
      if (this.#args.protocol === 'consumer') this.#compare()
      this.#settle()
    })
    stream.on('error', (error) => this.state.failed(error))
    stream.on('data', (message) => {
      this.state.received({ topic: message.topic, ...toReceived(message) })
      if (this.state.full) stream.pause()
    })
  }

  #joined({ memberId, assignments }) {
    if (this.#args.protocol === 'consumer') return this.#compare()
    const before = this.state.partitions
    if (this.#memberId !== null && this.#memberId !== memberId) this.state.lost(before)
    else if (before.length > 0) this.#giveUpForNow()
    this.#memberId = memberId
    this.state.recovered()
    this.state.assigned(placesOf(assignments))
  }

  /**
   * Of a partition of which nothing is committed the library goes on behind what its stream gave out, if it has it back
   * after the rebalance. In the newer protocol it gives up only what goes to another.
   */
  #giveUpForNow() {
    const { partitions } = this.state
    if (this.#args.protocol === 'consumer') this.state.revoked(partitions)
    else this.state.revokedForNow(partitions)
  }

  /** The library has asked what is committed, and knows where it goes on. */
  #settle() {
    for (const place of this.state.unsettled) {
      const start = this.#stream.offsetsToFetch.get(`${place.topic}:${place.partition}`)
      if (start !== undefined) this.state.goesOn(place, start)
    }
  }

  /** What the consumer has now against what it had. */
  #compare() {
    const now = placesOf(this.#consumer.assignments)
    const isIn = (places, { topic, partition }) =>
      places.some((place) => place.topic === topic && place.partition === partition)
    const before = this.state.partitions
    const gone = before.filter((place) => !isIn(now, place))
    const come = now.filter((place) => !isIn(before, place))
    if (gone.length > 0) this.state.revoked(gone)
    if (come.length > 0) this.state.assigned(come)
  }
}

function placesOf(assignments) {
  return (assignments ?? []).flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

function membership({ protocol = 'classic', instanceId, sessionTimeoutMs, heartbeatIntervalMs }) {
  const instance = instanceId === undefined ? {} : { groupInstanceId: instanceId }
  const sessionTimeout = sessionTimeoutMs ?? 10_000
  return {
    ...instance,
    ...(protocol === 'consumer' ? { groupProtocol: 'consumer' } : {}),
    sessionTimeout,
    rebalanceTimeout: Math.max(sessionTimeout, REBALANCE_MS),
    heartbeatInterval: heartbeatIntervalMs ?? 500,
  }
}

function refuseWhatIsMissing({ assignor = 'range', protocol = 'classic' }) {
  if (protocol === 'classic' && assignor !== 'roundrobin')
    throw new Unsupported(`@platformatic/kafka has no ${assignor} assignor`)
}

function refuseMetadata(offsets) {
  if (offsets.some(({ metadata }) => metadata !== undefined))
    throw new Unsupported('@platformatic/kafka commits no metadata')
}

function toPosition({ topic, partition = 0, offset }) {
  return { topic, partition, offset: BigInt(offset), leaderEpoch: -1 }
}
