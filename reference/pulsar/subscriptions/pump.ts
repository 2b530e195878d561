/**
 * Runs an asynchronous step over and over while it makes progress, one at a time; a wake-up while it runs makes it look
 * once more, so that none is lost.
 */
export class Pump {
  #running = false
  #again = false
  #stopped = false
  readonly #step: () => Promise<boolean>
  readonly #onError: (error: unknown) => void

  /** @param step does some work; resolves to whether there may be more. */
  constructor(step: () => Promise<boolean>, onError: (error: unknown) => void) {
    this.#step = step
    this.#onError = onError
  }

  wake(): void {
    this.#again = true
    if (!this.#running && !this.#stopped) void this.#run()
  }

  stop(): void {
    this.#stopped = true
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      while (!this.#stopped && this.#again) {
        this.#again = false
        if (await this.#step()) this.#again = true
      }
    } catch (error) {
      this.#again = false
      this.#onError(error)
    } finally {
      this.#running = false
    }
  }
}
