// Members of groups that stay, by node-rdkafka. It tells neither a member's id nor its generation, does not tell lost
// partitions from revoked ones, commits no metadata, and cannot ask for everything that a group has committed.
import { DriverError, Unsupported } from '../lib/driver.mjs'
import { MemberState, openMemberOf } from '../lib/member-state.mjs'
import { orAfter } from '../lib/waiting.mjs'

const ASSIGNORS = ['range', 'roundrobin', 'cooperative-sticky']
const CONSUME_RECORDS_MAX = 500
const CONSUME_MS_MAX = 50
const CLOSE_MS_MAX = 5000
const ASSIGN_PARTITIONS = -175
const REVOKE_PARTITIONS = -174
const FATAL = -150

/** @param library what the driver has of node-rdkafka: consumers of a group, how to read, close, and tell a record */
export function groupOps(library) {
  const { connectedConsumer, consumeSome, called, close, toOffset, toReceived, isFailure, has } = library
  const members = new Map()

  async function commit({ group, offsets }) {
    const positions = offsets.map(toPosition)
    const consumer = await connectedConsumer(group, 'earliest')
    try {
      consumer.commitSync(positions)
    } finally {
      close(consumer)
    }
  }

  async function allCommitted() {
    throw new Unsupported('node-rdkafka asks for the commits of partitions that are named, not of a group')
  }

  async function openMember(args) {
    refuseWhatIsMissing(args, has)
    const consumer = await connectedConsumer(args.group, args.from ?? 'earliest', {
      'enable.partition.eof': false,
      'allow.auto.create.topics': false,
      rebalance_cb: true,
      ...membership(args),
    })
    const member = new Member(consumer, args.protocol ?? 'classic')
    members.set(args.member, member)
    consumer.subscribe(args.topics)
    member.run()
  }

  async function assignment({ member, count, timeoutMs = 20_000 }) {
    return openMemberOf(members, member).state.assignment(count, timeoutMs)
  }

  async function memberPoll({ member, count, timeoutMs = 15_000 }) {
    return { records: await openMemberOf(members, member).state.poll(count, timeoutMs) }
  }

  async function memberCommit({ member, offsets }) {
    await openMemberOf(members, member).commit(offsets?.map(toPosition))
  }

  async function closeMember({ member }) {
    const opened = openMemberOf(members, member)
    members.delete(member)
    await orAfter(CLOSE_MS_MAX, opened.close())
  }

  function toPosition({ topic, partition = 0, offset, metadata }) {
    if (metadata !== undefined) throw new Unsupported('node-rdkafka commits no metadata')
    return { topic, partition, offset: toOffset(offset) }
  }

  /** The library is asked for one thing at a time: records, over and over, and commits in between. */
  class Member {
    state = new MemberState()
    #consumer
    #turn = Promise.resolve()
    #closing = false
    #paused = false
    #protocol

    constructor(consumer, protocol) {
      this.#consumer = consumer
      this.#protocol = protocol
      // node-rdkafka itself assigns after this event, all or incrementally, as the assignor has it.
      consumer.on('rebalance', ({ code }, partitions) => {
        if (code === ASSIGN_PARTITIONS) this.#given(partitions)
        else if (code === REVOKE_PARTITIONS) this.state.revoked(partitions)
      })
      consumer.on('event.error', (error) => this.#failed(error))
    }

    #given(partitions) {
      // What is newly assigned is not paused.
      this.#paused = false
      this.state.recovered()
      this.state.assigned(partitions)
    }

    #failed(error) {
      const behind = this.#behind(error)
      if (isFailure(behind)) this.state.failed(behind)
    }

    /**
     * node-rdkafka does not tell what was fatal. A consumer of the classic protocol librdkafka gives up for one reason
     * alone.
     */
    #behind(error) {
      if (error?.code !== FATAL || this.#protocol !== 'classic') return error
      return new DriverError('FENCED_INSTANCE_ID', error.message)
    }

    run() {
      if (this.#closing) return
      this.#inTurn(() => this.#consume())
        .catch((error) => this.#failed(error))
        .then(() => setImmediate(() => this.run()))
    }

    async #consume() {
      if (this.#closing) return
      if (this.state.full !== this.#paused) this.#holdBack()
      const messages = await consumeSome(this.#consumer, CONSUME_RECORDS_MAX, Date.now() + CONSUME_MS_MAX)
      for (const message of messages) this.state.received({ topic: message.topic, ...toReceived(message) })
    }

    #holdBack() {
      this.#paused = this.state.full
      const places = this.state.partitions
      if (this.#paused) this.#consumer.pause(places)
      else this.#consumer.resume(places)
    }

    commit(offsets) {
      return this.#inTurn(async () => {
        const positions = offsets ?? this.state.positions.map(toPosition)
        try {
          if (positions.length > 0) this.#consumer.commitSync(positions)
        } catch (error) {
          throw this.#behind(error)
        }
      })
    }

    close() {
      this.#closing = true
      return this.#inTurn(() => called((done) => close(this.#consumer, done)))
    }

    #inTurn(run) {
      const result = this.#turn.then(run, run)
      this.#turn = result.catch(() => {})
      return result
    }
  }

  return {
    ops: { commit, allCommitted, openMember, assignment, memberPoll, memberCommit, closeMember },
    closeAll() {
      for (const member of members.values()) member.close().catch(() => {})
      members.clear()
    },
  }
}

function refuseWhatIsMissing({ assignor, protocol }, has) {
  if (protocol === 'consumer' && !has.newerProtocol)
    throw new Unsupported("this version's librdkafka has the consumer protocol at most as a preview")
  if (assignor === 'cooperative-sticky' && !has.incrementalAssign)
    throw new Unsupported('this version of node-rdkafka assigns all partitions at once only')
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
