import assert from 'node:assert/strict'
import { step } from './step.js'
import {
  emptyGroup,
  type GroupEffect,
  type GroupEvent,
  type GroupLimits,
  type GroupReply,
  type GroupState,
  type JoinEvent,
  type TimerName,
} from './step-state.js'

/** Feeds events to one group and keeps what it answered, and which timers run. */
export class Transcript {
  state: GroupState = emptyGroup
  nowMs = 0
  readonly replies = new Map<number, GroupReply>()
  readonly timers = new Map<TimerName, number>()
  readonly #dueMs = new Map<TimerName, number>()
  readonly stored: Extract<GroupEffect, { type: 'store' }>[] = []
  readonly #limits: GroupLimits

  constructor(limits: Partial<GroupLimits> = {}) {
    this.#limits = {
      groupInitialRebalanceDelayMs: 0,
      groupMembersMax: 100,
      sessionTimeoutMsMin: 1,
      sessionTimeoutMsMax: 60_000,
      ...limits,
    }
  }

  feed(event: GroupEvent): void {
    const before = JSON.stringify([...this.state.members])
    const previous = this.state
    const [state, effects] = step(this.state, event, this.#limits, this.nowMs)
    assert.equal(JSON.stringify([...previous.members]), before, 'step changed the state that it was given')
    this.state = state
    for (const effect of effects) this.#run(effect)
  }

  #run(effect: GroupEffect): void {
    if (effect.type === 'startTimer') {
      this.timers.set(effect.timer, effect.afterMs)
      this.#dueMs.set(effect.timer, this.nowMs + effect.afterMs)
    } else if (effect.type === 'stopTimer') this.timers.delete(effect.timer)
    else if (effect.type === 'store') this.stored.push(effect)
    else {
      assert.ok(!this.replies.has(effect.to), `request ${effect.to} is answered twice`)
      this.replies.set(effect.to, effect.reply)
    }
  }

  /** What JoinGroup answered as `[error, member id, leader, generation]`. */
  joinedAs(replyTo: number) {
    const { error, memberId, leaderId, generationId } = this.joined(replyTo)
    return [error, memberId, leaderId, generationId]
  }

  commit(
    replyTo: number,
    memberId: string,
    generationId: number,
    groupInstanceId: string | null = null,
  ): void {
    this.feed({ type: 'commit', replyTo, memberId, generationId, groupInstanceId })
  }

  timer(timer: TimerName): void {
    assert.ok(this.timers.has(timer), `no timer ${timer} runs`)
    this.timers.delete(timer)
    this.feed({ type: 'timer', timer })
  }

  /** Lets the time pass until the next timer rings. @returns false when none runs. */
  ringNext(): boolean {
    const dueMs = (timer: TimerName) => this.#dueMs.get(timer) ?? 0
    const [next] = [...this.timers.keys()].sort((a, b) => dueMs(a) - dueMs(b))
    if (next === undefined) return false
    this.nowMs = Math.max(this.nowMs, dueMs(next))
    this.timer(next)
    return true
  }

  /** Why the group was stored so far. */
  purposes(): string {
    return this.stored.map((each) => each.purpose).join()
  }

  join(replyTo: number, memberId: string, part: Partial<JoinEvent> = {}): void {
    this.feed({
      type: 'join',
      replyTo,
      memberId,
      newMemberId: `member-${replyTo}`,
      requiresKnownMemberId: false,
      canSkipAssignment: false,
      groupInstanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
      ...part,
    })
  }

  sync(
    replyTo: number,
    memberId: string,
    assignments: Record<string, string> = {},
    generationId = this.state.generationId,
    groupInstanceId: string | null = null,
  ): void {
    this.feed({
      type: 'sync',
      replyTo,
      memberId,
      groupInstanceId,
      generationId,
      protocolType: null,
      protocolName: null,
      assignments: Object.entries(assignments).map(([id, text]) => ({
        memberId: id,
        assignment: Buffer.from(text),
      })),
    })
  }

  heartbeat(
    replyTo: number,
    memberId: string,
    generationId = this.state.generationId,
    groupInstanceId: string | null = null,
  ): void {
    this.feed({ type: 'heartbeat', replyTo, memberId, generationId, groupInstanceId })
  }

  error(replyTo: number): string {
    const reply = this.replies.get(replyTo)
    if (reply === undefined) return 'waits'
    return reply.type === 'leave' ? reply.members.map((each) => each.error).join() : reply.error
  }

  joined(replyTo: number) {
    const reply = this.replies.get(replyTo)
    assert.equal(reply?.type, 'join')
    return reply?.type === 'join' ? reply : assert.fail()
  }

  assignment(replyTo: number): string {
    const reply = this.replies.get(replyTo)
    return reply?.type === 'sync' ? reply.assignment.toString() : assert.fail()
  }
}

export const named = (memberId: string) => ({ memberId, groupInstanceId: null })

/** A group of `a` (leader) and `b`, stable in generation 2. */
export function pair(): Transcript {
  const group = new Transcript()
  group.join(1, '', { newMemberId: 'a' })
  group.sync(2, 'a', { a: 'all' })
  group.join(3, '', { newMemberId: 'b' })
  group.join(4, 'a')
  group.sync(5, 'b')
  group.sync(6, 'a', { a: 'first', b: 'second' })
  return group
}
