import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupState } from './step-state.js'
import { Transcript } from './transcript.js'

/** Numbers below one that follow from the seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Client {
  /** Static or null. Two clients may have the same. */
  readonly instance: string | null
  memberId: string
  generationId: number
  isLeader: boolean
  /** The members that the leader is to give partitions to. */
  members: readonly string[]
  /** The request that it waits for. */
  waitsFor: number | null
}

const newClient = (instance: string | null): Client => ({
  instance,
  memberId: '',
  generationId: -1,
  isLeader: false,
  members: [],
  waitsFor: null,
})

/** Clients that join, sync, restart and vanish as chance has it; what must hold is checked after each event. */
class Walk {
  readonly group: Transcript
  readonly #random: () => number
  readonly #clients: Client[]
  /** Who was told of each share. */
  readonly #owners = new Map<string, string>()
  /** Requests that the group has to answer. */
  readonly #asked: number[] = []
  #nextReplyTo = 1
  phases = new Set<string>()

  constructor(seed: number) {
    this.#random = randomOf(seed)
    this.group = new Transcript({
      groupInitialRebalanceDelayMs: seed % 2 === 0 ? 0 : 3000,
      groupMembersMax: 6,
      sessionTimeoutMsMax: 60_000,
    })
    this.#clients = ['A', 'B', 'B', null, null, null, null, null].map(newClient)
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.#random() * items.length)]
    return item ?? assert.fail('nothing to pick from')
  }

  #ask(): number {
    const replyTo = this.#nextReplyTo++
    this.#asked.push(replyTo)
    return replyTo
  }

  turn(): void {
    const before = this.group.state.generationId
    const storesBefore = this.group.stored.length
    const client = this.#pick(this.#clients)
    this.#act(client)
    const stored = this.group.stored.slice(storesBefore).at(-1)
    if (stored !== undefined && this.#random() < 0.05)
      this.group.feed({ type: 'storeFailed', purpose: stored.purpose })
    assert.ok(this.group.state.generationId >= before, 'the generation went back')
    checkTimers(this.group)
    this.phases.add(this.group.state.phase)
    for (const each of this.#clients) this.#hear(each)
  }

  #act(client: Client): void {
    const { group } = this
    const chance = this.#random()
    const { memberId, generationId, instance } = client
    if (chance < 0.015) Object.assign(client, newClient(instance))
    else if (chance < 0.03) group.ringNext()
    else if (chance < 0.034) group.feed({ type: 'fence', replyTo: this.#ask() })
    else if (chance < 0.05 && client.waitsFor === null)
      group.feed({ type: 'leave', replyTo: this.#ask(), members: [{ memberId, groupInstanceId: instance }] })
    else if (chance < 0.1) group.heartbeat(this.#ask(), memberId, generationId, instance)
    else if (chance < 0.15) group.commit(this.#ask(), memberId, generationId, instance)
    else if (client.waitsFor !== null && chance < 0.95) return
    else if (generationId === group.state.generationId && chance < 0.9) this.#sync(client)
    else this.#join(client)
  }

  #join(client: Client): void {
    const replyTo = this.#ask()
    client.waitsFor = replyTo
    this.group.join(replyTo, client.memberId, {
      newMemberId: `${client.instance ?? 'm'}-${replyTo}`,
      groupInstanceId: client.instance,
      requiresKnownMemberId: this.#random() < 0.7,
      canSkipAssignment: this.#random() < 0.5,
      rebalanceTimeoutMs: this.#pick([1000, 20_000, 60_000]),
      protocols: [
        { name: this.#pick(['range', 'sticky']), metadata: Buffer.from(this.#random() < 0.9 ? 't' : 'u') },
      ],
    })
  }

  #sync(client: Client): void {
    const replyTo = this.#ask()
    client.waitsFor = replyTo
    const { memberId, generationId, instance } = client
    const shares = client.members.map((member, at) => [member, `${generationId}/${at}`] as const)
    this.group.sync(
      replyTo,
      memberId,
      client.isLeader ? Object.fromEntries(shares) : {},
      generationId,
      instance,
    )
  }

  #hear(client: Client): void {
    const reply = client.waitsFor === null ? undefined : this.group.replies.get(client.waitsFor)
    if (reply === undefined) return
    client.waitsFor = null
    if (reply.type === 'join') {
      if (reply.error === 'MEMBER_ID_REQUIRED' || reply.error === 'NONE') client.memberId = reply.memberId
      if (reply.error === 'UNKNOWN_MEMBER_ID' || reply.error === 'FENCED_INSTANCE_ID') client.memberId = ''
      client.generationId = reply.generationId
      client.isLeader = reply.error === 'NONE' && reply.leaderId === reply.memberId && !reply.skipAssignment
      client.members = reply.members.map((member) => member.memberId)
    } else if (reply.type === 'sync') {
      if (reply.error !== 'NONE') client.generationId = -1
      else this.#own(reply.assignment.toString(), client)
    }
  }

  /** A static member's share passes on to whoever takes its place. */
  #own(share: string, { memberId, instance }: Client): void {
    if (share === '') return
    const owner = instance ?? memberId
    const previous = this.#owners.get(share) ?? owner
    assert.equal(previous, owner, `two members have share ${share}`)
    this.#owners.set(share, owner)
  }

  /** All clients fall silent: whatever waits is answered, and the group is left empty in the end. */
  end(): void {
    for (let rings = 0; this.group.ringNext(); rings++) {
      checkTimers(this.group)
      assert.ok(rings < 1000, `the group does not come to rest: ${this.group.state.phase}`)
    }
    assert.equal(this.group.state.phase, 'Empty')
    const unanswered = this.#asked.filter((replyTo) => !this.group.replies.has(replyTo))
    assert.deepEqual(unanswered, [], 'requests without an answer')
  }

  get shares(): number {
    return this.#owners.size
  }
}

/** For whatever the group waits, a timer runs; and none for what it does not. */
function checkTimers({ state, timers }: Transcript): void {
  const { phase, members, pendingMembers } = state
  const all = [...members.values()]
  const isWaitedFor =
    phase === 'PreparingRebalance' ||
    phase === 'CompletingRebalance' ||
    (phase === 'Stable' && all.some((member) => !member.hasSynced))
  if (isWaitedFor) assert.ok(timers.has('rebalance'), `nothing ends ${phase}`)
  if (phase === 'Empty') assert.equal(members.size, 0)
  for (const { memberId, awaitingJoin, awaitingSync } of all)
    if (awaitingJoin === null && awaitingSync === null)
      assert.ok(timers.has(`session/${memberId}`), `nothing watches ${memberId} in ${phase}`)
  for (const memberId of pendingMembers.keys()) assert.ok(timers.has(`pending/${memberId}`))
  const known = (id: string) => members.has(id) || pendingMembers.has(id)
  for (const timer of timers.keys())
    assert.ok(timer === 'rebalance' || known(timer.slice(timer.indexOf('/') + 1)), `${timer} is of nobody`)
  checkOne(state)
}

/** An instance has one place, and a group with members that joined has its leader among them. */
function checkOne({ members, leaderId, phase }: GroupState): void {
  const instances = [...members.values()].flatMap((member) => member.groupInstanceId ?? [])
  assert.equal(new Set(instances).size, instances.length, 'an instance has two places')
  if (phase === 'Stable' || phase === 'CompletingRebalance')
    assert.ok(leaderId !== null && members.has(leaderId), `no leader in ${phase}`)
}

test('whatever clients do, requests are answered once, generations rise, shares have one owner, rebalances end', () => {
  const phases = new Set<string>()
  let shares = 0
  for (let seed = 1; seed <= 40; seed++) {
    const walk = new Walk(seed)
    try {
      for (let turn = 0; turn < 800; turn++) walk.turn()
      walk.end()
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
    for (const phase of walk.phases) phases.add(phase)
    shares += walk.shares
  }
  // The walk goes everywhere, or it shows nothing.
  assert.deepEqual([...phases].sort(), ['CompletingRebalance', 'Empty', 'PreparingRebalance', 'Stable'])
  assert.ok(shares > 500, `only ${shares} shares were given out`)
})
