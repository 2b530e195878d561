import type { Clock } from '../base/clock.js'
import type { StoredGroup } from './group-store.js'
import type { GroupStep } from './step.js'
import {
  emptyGroup,
  type GroupEffect,
  type GroupEvent,
  type GroupLimits,
  type GroupReply,
  type GroupState,
  type ReplyTo,
  type StorePurpose,
  type TimerName,
} from './step-state.js'

/** What a group needs to run; the coordinator gives it. */
export interface GroupSurroundings {
  readonly clock: Clock
  readonly limits: GroupLimits
  readonly step: GroupStep
  store(group: StoredGroup): Promise<void>
  reply(to: ReplyTo, reply: GroupReply): void
  /** Answers a request with the store's failure. */
  fail(to: ReplyTo, error: unknown): void
  storeFailed(error: unknown, purpose: StorePurpose): void
  /** The group has nothing left to do for now. */
  rested(): void
}

/** A timer's turn comes with the handle that it was started with: it may have been stopped or started anew since. */
type Work = GroupEvent | (() => Promise<void>) | { readonly timer: TimerName; readonly stop: () => void }

/**
 * One group: its state, its timers, and the order of what happens to it. While the store takes a change of the group,
 * further events wait, so that nobody is told of what is not durable yet (register GC-3).
 */
export class RunningGroup {
  state: GroupState
  readonly #surroundings: GroupSurroundings
  readonly #timers = new Map<TimerName, () => void>()
  readonly #queue: Work[] = []
  /** Tasks under way: a change that the store takes, or one of `exclusively`. */
  #busyTasks = 0
  /** The store holds members that have gone: this group's state here is the better one. */
  #isUnsaved = false
  #isClosed = false

  constructor(state: GroupState, surroundings: GroupSurroundings) {
    this.state = state
    this.#surroundings = surroundings
    for (const member of state.members.values())
      this.#startTimer(`session/${member.memberId}`, member.sessionTimeoutMs)
  }

  /** Whether the state says all there is to know of it, so that a group without members can be forgotten. */
  get isIdle(): boolean {
    return this.#busyTasks === 0 && this.#queue.length === 0 && this.#timers.size === 0 && !this.#isUnsaved
  }

  /** Feeds the group an event: at once, unless the store is at work for it. */
  dispatch(event: GroupEvent): void {
    this.#queue.push(event)
    this.#drain()
  }

  /** Runs a task in its turn, and holds back all events until it has ended. It reports its own errors. */
  exclusively(task: () => Promise<void>): void {
    this.#queue.push(task)
    this.#drain()
  }

  /** Nothing is known of the group any more. */
  forget(): void {
    this.state = emptyGroup
    this.#isUnsaved = false
    for (const timer of [...this.#timers.keys()]) this.#stopTimer(timer)
  }

  close(): void {
    this.#isClosed = true
    this.#queue.length = 0
    for (const stop of this.#timers.values()) stop()
    this.#timers.clear()
  }

  #drain() {
    while (this.#busyTasks === 0 && !this.#isClosed) {
      const work = this.#queue.shift()
      if (work === undefined) return this.#surroundings.rested()
      if (typeof work === 'function') this.#whileBusy(work())
      else if ('type' in work) this.#take(work)
      else this.#ring(work.timer, work.stop)
    }
  }

  #take(event: GroupEvent): void {
    const { limits, clock, step } = this.#surroundings
    const [state, effects] = step(this.state, event, limits, clock.nowMs())
    this.state = state
    this.#run(effects, 0, null)
  }

  /** Runs effects in their order. `failure`: what the store said to a change that those left depend on. */
  #run(effects: readonly GroupEffect[], from: number, failure: { readonly error: unknown } | null) {
    const { reply, fail } = this.#surroundings
    for (const [at, effect] of effects.entries()) {
      if (at < from) continue
      if (effect.type === 'store') return this.#whileBusy(this.#store(effect, effects, at + 1))
      if (effect.type === 'stopTimer') this.#stopTimer(effect.timer)
      else if (effect.type === 'startTimer') this.#startTimer(effect.timer, effect.afterMs)
      else if (failure === null) reply(effect.to, effect.reply)
      else fail(effect.to, failure.error)
    }
  }

  async #store(
    { purpose, group }: Extract<GroupEffect, { type: 'store' }>,
    effects: readonly GroupEffect[],
    next: number,
  ): Promise<void> {
    let failure: { readonly error: unknown } | null = null
    try {
      await this.#surroundings.store(group)
    } catch (error) {
      failure = { error }
    }
    if (this.#isClosed) return
    if (failure !== null) this.#surroundings.storeFailed(failure.error, purpose)
    this.#isUnsaved = failure !== null
    if (failure !== null && purpose !== 'empty') this.#queue.unshift({ type: 'storeFailed', purpose })
    this.#run(effects, next, purpose === 'empty' ? null : failure)
  }

  /** Several tasks overlap where effects after a change ask for another: the last one to end lets events go on. */
  #whileBusy(task: Promise<void>): void {
    this.#busyTasks++
    const end = () => {
      this.#busyTasks--
      this.#drain()
    }
    task.then(end, end)
  }

  #startTimer(timer: TimerName, afterMs: number): void {
    this.#stopTimer(timer)
    const stop = this.#surroundings.clock.after(afterMs, () => {
      this.#queue.push({ timer, stop })
      this.#drain()
    })
    this.#timers.set(timer, stop)
  }

  #ring(timer: TimerName, stop: () => void): void {
    if (this.#timers.get(timer) !== stop) return
    this.#timers.delete(timer)
    this.#take({ type: 'timer', timer })
  }

  #stopTimer(timer: TimerName): void {
    this.#timers.get(timer)?.()
    this.#timers.delete(timer)
  }
}
