import assert from 'node:assert/strict'
import { byTopic, type Slots, slotOf } from './slots.js'
import {
  type AssignableTopic,
  type ConsumerGroupState,
  type HeartbeatAnswer,
  type HeartbeatEvent,
  newGroup,
  type Surroundings,
  type TimerName,
} from './state.js'
import { step } from './step.js'

/** A client of the protocol as far as tests need it: what it believes, and what it holds. */
export interface TestMember {
  readonly memberId: string
  readonly instanceId: string | null
  epoch: number
  /** What it reads; and what it was told, once it has let go the rest. */
  owned: Slots
}

/** Feeds one group heartbeats of members that do as they are told, and holds what must never be. */
export class ConsumerTranscript {
  state: ConsumerGroupState = newGroup
  nowMs = 0
  readonly topics = new Map<string, AssignableTopic>([['t', { topicId: 't', partitions: 4 }]])
  readonly timers = new Map<TimerName, number>()
  readonly members = new Map<string, TestMember>()

  readonly around = (): Surroundings => ({
    limits: { heartbeatIntervalMs: 10, sessionTimeoutMs: 100, membersMax: 9 },
    nowMs: this.nowMs,
    topics: {
      named: (name) => this.topics.get(name),
      matching: (regex) =>
        [...this.topics].filter(([name]) => new RegExp(`^${regex}$`).test(name)).map(([, topic]) => topic),
    },
  })

  /** One heartbeat, exactly as given. */
  raw(memberId: string, memberEpoch: number, more: Partial<HeartbeatEvent> = {}): HeartbeatAnswer {
    const isJoining = memberEpoch === 0
    const answer = this.#feed({
      type: 'heartbeat',
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: isJoining ? 50 : -1,
      topicNames: isJoining ? ['t'] : null,
      topicRegex: null,
      assignor: null,
      owned: isJoining ? [] : null,
      ...more,
    })
    return answer ?? assert.fail('a heartbeat was not answered')
  }

  join(memberId: string, more: Partial<HeartbeatEvent> = {}): TestMember {
    const member: TestMember = { memberId, instanceId: more.instanceId ?? null, epoch: 0, owned: new Set() }
    this.members.set(memberId, member)
    this.beat(member, more)
    return member
  }

  /** A heartbeat as a client sends it: it says what it has, takes what it is given, and lets go what is taken. */
  beat(member: TestMember, more: Partial<HeartbeatEvent> = {}): HeartbeatAnswer {
    const { memberId, instanceId, epoch } = member
    const owned = epoch === 0 ? [] : [...member.owned]
    const answer = this.raw(memberId, epoch, { instanceId, owned, ...more })
    if (answer.error === 'NONE') {
      member.epoch = answer.memberEpoch
      if (answer.assignment !== null) member.owned = answer.assignment
    } else if (answer.error === 'FENCED_MEMBER_EPOCH' || answer.error === 'UNKNOWN_MEMBER_ID') {
      member.epoch = 0
      member.owned = new Set()
    }
    this.assertNoTwoOwners()
    return answer
  }

  /** Heartbeats in turn until nothing changes. */
  settle(): void {
    for (let round = 0; round < 20; round++) {
      const before = this.state
      for (const member of this.members.values()) this.beat(member)
      if (this.state === before) return
    }
    assert.fail('members never came to rest')
  }

  leave(member: TestMember, epoch = -1): HeartbeatAnswer {
    this.members.delete(member.memberId)
    return this.raw(member.memberId, epoch, { instanceId: member.instanceId })
  }

  ring(timer: TimerName): void {
    this.timers.delete(timer)
    this.#feed({ type: 'timer', timer })
  }

  topicsChanged(): void {
    this.#feed({ type: 'topicsChanged' })
  }

  fence(): void {
    this.#feed({ type: 'fence' })
  }

  #feed(event: Parameters<typeof step>[1]): HeartbeatAnswer | null {
    const before = JSON.stringify([...this.state.members])
    const { state, answer, timers } = step(this.state, event, this.around())
    assert.equal(JSON.stringify([...this.state.members]), before, 'step changed the state that it was given')
    this.state = state
    for (const { timer, afterMs } of timers)
      if (afterMs === null) this.timers.delete(timer)
      else this.timers.set(timer, afterMs)
    return answer
  }

  /** What the protocol is there for: no partition is read by two. */
  assertNoTwoOwners(): void {
    const seen = new Set<string>()
    for (const { memberId, owned } of this.members.values())
      for (const slot of owned) {
        assert.ok(!seen.has(slot), `${slot} is ${memberId}'s and another's`)
        seen.add(slot)
      }
  }
}

export const slots = (...partitions: number[]): Slots => new Set(partitions.map((each) => slotOf('t', each)))

export const partitionsOf = (of: Slots): readonly number[] =>
  byTopic(of).flatMap(({ partitions }) => partitions)
