import type { Clock } from '../base/clock.js'
import type { Log } from '../base/log.js'
import { GroupCoordinator } from './coordinator.js'

/** What requests get until groups and offsets are loaded: their clients try again (COORDINATOR_LOAD_IN_PROGRESS). */
export class CoordinatorLoading extends Error {
  override readonly name = 'CoordinatorLoading'
}

const retryMs = 1_000

/**
 * A coordinator that is still to come: the broker listens while it is made, and whatever is asked of `coordinator` until
 * then fails with CoordinatorLoading. A load that fails is tried again.
 */
export class LoadingCoordinator {
  /** Stands for the coordinator, before and after. */
  readonly coordinator: GroupCoordinator
  /** Resolves when it is there, or when nothing will come of it: it was closed. */
  readonly loaded: Promise<void>
  readonly #clock: Clock
  readonly #log: Log
  #actual: GroupCoordinator | undefined
  #stopWaiting = () => {}
  #closed = false

  constructor(
    load: () => Promise<GroupCoordinator>,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#clock = clock
    this.#log = log
    this.coordinator = standIn(() => this.#actual)
    this.loaded = this.#load(load)
  }

  close(): void {
    this.#closed = true
    this.#stopWaiting()
    this.#actual?.close()
  }

  async #load(load: () => Promise<GroupCoordinator>): Promise<void> {
    while (!this.#closed) {
      try {
        this.#actual = await load()
        if (this.#closed) this.#actual.close()
        return
      } catch (err) {
        this.#log.error({ err }, 'groups and offsets could not be loaded; it will be tried again')
        await this.#pause()
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#clock.after(retryMs, resolve)
      this.#stopWaiting = () => {
        stop()
        resolve()
      }
    })
  }
}

function standIn(actual: () => GroupCoordinator | undefined): GroupCoordinator {
  return new Proxy<GroupCoordinator>(Object.create(GroupCoordinator.prototype), {
    get(_target, name) {
      const coordinator = actual()
      if (coordinator === undefined) throw new CoordinatorLoading('groups and offsets are being loaded')
      const value: unknown = Reflect.get(coordinator, name, coordinator)
      return typeof value === 'function' ? value.bind(coordinator) : value
    },
  })
}
