import type { Clock } from '../../base/clock.js'
import type {
  ConsumerGroupEvent,
  ConsumerGroupLimits,
  ConsumerGroupState,
  HeartbeatAnswer,
  SubscribableTopics,
  TimerEffect,
  TimerName,
} from './state.js'
import { step } from './step.js'
import { type StoredConsumerGroup, storedGroup } from './stored.js'

export interface GroupSurroundings {
  readonly clock: Clock
  readonly limits: ConsumerGroupLimits
  readonly topics: SubscribableTopics
  store(group: StoredConsumerGroup): Promise<void>
  /** Nobody waits for the event that the store failed. */
  failed(error: unknown, event: ConsumerGroupEvent): void
  /** Nothing more is to be done for now. */
  rested(): void
}

/** How long an event that nobody waits for is put off when the store fails. */
const retryMs = 1_000

/**
 * One group: its state, its timers, and the order of what happens to it. A change is stored before it takes effect, and
 * one that cannot be stored never does (register GC-3).
 */
export class RunningConsumerGroup {
  state: ConsumerGroupState
  /** It is forgotten: whoever waited for its turn has to look for the group again. */
  isGone = false
  readonly #around: GroupSurroundings
  readonly #timers = new Map<TimerName, () => void>()
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #isClosed = false

  constructor(state: ConsumerGroupState, around: GroupSurroundings) {
    this.state = state
    this.#around = around
    for (const { memberId, phase, rebalanceTimeoutMs } of state.members.values()) {
      this.#setTimer({ timer: `session/${memberId}`, afterMs: around.limits.sessionTimeoutMs })
      if (phase === 'unrevoked')
        this.#setTimer({ timer: `rebalance/${memberId}`, afterMs: rebalanceTimeoutMs })
    }
  }

  get isIdle(): boolean {
    return this.#waiting === 0
  }

  /** Runs a task when all before it have ended. */
  inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    this.#waiting++
    const done = this.#turn.then(task)
    const end = () => {
      this.#waiting--
      if (this.isIdle && !this.#isClosed) this.#around.rested()
    }
    this.#turn = done.then(end, end)
    return done
  }

  /** For tasks that have their turn. @throws what the store throws; nothing has changed then */
  async take(event: ConsumerGroupEvent): Promise<HeartbeatAnswer | null> {
    const { clock, limits, topics, store } = this.#around
    const { state, answer, timers } = step(this.state, event, { limits, topics, nowMs: clock.nowMs() })
    if (state !== this.state) await store(storedGroup(state))
    if (this.#isClosed) return answer
    this.state = state
    for (const effect of timers) this.#setTimer(effect)
    return answer
  }

  /** An event that nobody asked for, in its turn. When the store fails it comes again. */
  dispatch(event: ConsumerGroupEvent): void {
    const take = async (): Promise<void> => {
      // A group that was forgotten before its turn, or before it came again, must not be stored anew.
      if (!this.#isClosed) await this.take(event)
    }
    this.inTurn(take).catch((error) => {
      this.#around.failed(error, event)
      if (!this.#isClosed) this.#around.clock.after(retryMs, () => this.dispatch(event))
    })
  }

  forget(): void {
    this.isGone = true
    this.close()
  }

  close(): void {
    this.#isClosed = true
    for (const stop of this.#timers.values()) stop()
    this.#timers.clear()
  }

  #setTimer({ timer, afterMs }: TimerEffect): void {
    this.#timers.get(timer)?.()
    this.#timers.delete(timer)
    if (afterMs === null || this.#isClosed) return
    const stop = this.#around.clock.after(afterMs, () => this.#ring(timer, stop))
    this.#timers.set(timer, stop)
  }

  /** By the time of its turn it may have been stopped or started anew: the member was heard of after all. */
  #ring(timer: TimerName, stop: () => void): void {
    const event = { type: 'timer', timer } as const
    this.inTurn(async () => {
      if (this.#timers.get(timer) !== stop) return
      this.#timers.delete(timer)
      await this.take(event)
    }).catch((error) => {
      this.#around.failed(error, event)
      this.#setTimer({ timer, afterMs: retryMs })
    })
  }
}
