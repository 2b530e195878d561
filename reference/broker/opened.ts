import { ConfigError } from '../config.js'

/** How long clients may take to read what was answered; all listeners have it at the same time. */
export const stopGraceMs = 1_500

/** Names the setting whose address cannot be had. */
export async function naming<Listener>(setting: string, listening: Promise<Listener>): Promise<Listener> {
  try {
    return await listening
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE')
      throw new ConfigError(`${setting}: in use; stop what uses it, or choose another port`)
    if (code === 'EADDRNOTAVAIL') throw new ConfigError(`${setting}: not an address of this machine`)
    if (code === 'EACCES') throw new ConfigError(`${setting}: not allowed; choose a port from 1024`)
    throw error
  }
}

/** What serves clients: closed all at once, so that none waits for another's clients. */
export class Listeners {
  readonly #closers: (() => Promise<unknown>)[] = []

  push(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.splice(0).map((close) => close()))
  }
}

/** What was opened, to be closed in the reverse order. */
export class Opened {
  readonly #closers: (() => Promise<unknown>)[] = []

  push(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close()
  }
}
