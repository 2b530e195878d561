// Members of groups that stay: runs of kcat -G. kcat tells when partitions are given and taken, and its member id; it
// tells neither its generation nor lost partitions from revoked ones, and commits only by itself.
// @ts-check
import { Unsupported } from '../lib/driver.mjs'
import { MemberState, openMemberOf } from '../lib/member-state.mjs'
import { orAfter } from '../lib/waiting.mjs'
import { Kcat, optionsOf, recordOf } from './program.mjs'

const ASSIGNORS = ['range', 'roundrobin', 'cooperative-sticky']
const CLOSE_MS_MAX = 5000
/** Records and rebalances come by two pipes: so long a record may be ahead of what it belongs to. */
const AHEAD_MS_MAX = 500

class Member {
  state = new MemberState()
  memberId = ''
  /** @type {{ record: ReturnType<typeof recordOf>, at: number }[]} */
  #ahead = []
  #run

  /** @param {string[]} args */
  constructor(args) {
    this.#run = new Kcat(args, {
      onOutput: (line) => this.#received(recordOf(line)),
      onTold: (line) => this.#told(line),
    })
    this.#run.ended.then((code) =>
      this.state.failed(this.#run.failure ?? new Error(`kcat ended with ${code}`)),
    )
  }

  #received(record) {
    if (this.state.has(record)) this.state.received(record)
    else this.#ahead.push({ record, at: Date.now() })
  }

  #told(line) {
    const [, , memberId] = line.match(/^% Group .* rebalanced(: incremental.*?)? \(memberid ([^,)]*)/) ?? []
    if (memberId === undefined) {
      if (this.#run.failure !== null) this.state.failed(this.#run.failure)
      return
    }
    this.memberId = memberId
    const places = [...line.matchAll(/([^\s,:]+) \[(\d+)\]/g)].map(([, topic = '', partition]) => ({
      topic,
      partition: Number(partition),
    }))
    if (/: revoked:|unassignment|revoke/.test(line)) this.state.revoked(places)
    else this.#assigned(places)
  }

  #assigned(places) {
    this.state.recovered()
    this.state.assigned(places)
    const since = Date.now() - AHEAD_MS_MAX
    for (const { record, at } of this.#ahead) if (at >= since) this.state.received(record)
    this.#ahead = []
  }

  close() {
    this.#run.stop()
    return this.#run.ended
  }
}

/** @param {() => string[]} base arguments that say where and as whom */
export function groupOps(base) {
  /** @type {Map<string, Member>} */
  const members = new Map()

  async function openMember(args) {
    const { group, topics, from = 'earliest' } = args
    const settings = {
      // kcat takes no notice of enable.auto.commit: what is not stored is not committed.
      'enable.auto.offset.store': false,
      'auto.offset.reset': from,
      'allow.auto.create.topics': false,
      'fetch.wait.max.ms': 100,
      ...membership(args),
    }
    members.set(
      args.member,
      new Member([...base(), '-G', group, '-J', '-u', '-E', ...optionsOf(settings), ...topics]),
    )
  }

  async function assignment({ member, count, timeoutMs = 20_000 }) {
    const opened = openMemberOf(members, member)
    const seen = await opened.state.assignment(count, timeoutMs)
    return { ...(opened.memberId !== '' && { memberId: opened.memberId }), ...seen }
  }

  async function memberPoll({ member, count, timeoutMs = 15_000 }) {
    return { records: await openMemberOf(members, member).state.poll(count, timeoutMs) }
  }

  async function memberCommit() {
    throw new Unsupported('kcat commits only by itself')
  }

  async function closeMember({ member }) {
    const opened = openMemberOf(members, member)
    members.delete(member)
    await orAfter(CLOSE_MS_MAX, opened.close())
  }

  return {
    ops: { openMember, assignment, memberPoll, memberCommit, closeMember },
    closeAll() {
      for (const member of members.values()) member.close()
      members.clear()
    },
  }
}

function membership({
  protocol = 'classic',
  assignor = 'range',
  instanceId,
  sessionTimeoutMs = 10_000,
  heartbeatIntervalMs = 500,
}) {
  const instance = instanceId === undefined ? {} : { 'group.instance.id': instanceId }
  if (protocol === 'consumer')
    throw new Unsupported('the librdkafka of kcat 1.7 has no protocol consumer of groups')
  if (!ASSIGNORS.includes(assignor)) throw new Unsupported(`librdkafka has no ${assignor} assignor`)
  return {
    ...instance,
    'partition.assignment.strategy': assignor,
    'session.timeout.ms': sessionTimeoutMs,
    'heartbeat.interval.ms': heartbeatIntervalMs,
  }
}
