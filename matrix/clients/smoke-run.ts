import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

import { DriverError } from '../driver/errors.js'

/** Makes topics by another client, for a library that has no way to. */
export type MakeTopics = (topics: readonly { name: string; partitions: number }[]) => Promise<void>

/** One thing that a driver was asked, and what came of it. */
export interface SmokeCheck {
  readonly what: string
  readonly outcome: 'passed' | 'unsupported' | 'failed'
  readonly detail: string
  readonly milliseconds: number
}

/** A check has failed, and nobody asked for the rest. */
export class EnoughSeen extends Error {}

/** Collects checks: a failing one does not end the others. */
export class SmokeRun {
  readonly checks: SmokeCheck[] = []
  /** Part of every name that the run makes. */
  readonly id = randomBytes(4).toString('hex')
  readonly #untilFailure: boolean

  constructor(untilFailure = false) {
    this.#untilFailure = untilFailure
  }

  async check(what: string, run: () => Promise<unknown>): Promise<void> {
    const started = performance.now()
    let outcome: SmokeCheck['outcome'] = 'passed'
    let detail = ''
    try {
      await run()
    } catch (error) {
      outcome = error instanceof Error && error.name === 'Unsupported' ? 'unsupported' : 'failed'
      detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    }
    this.checks.push({ what, outcome, detail, milliseconds: Math.round(performance.now() - started) })
    if (outcome === 'failed' && this.#untilFailure) throw new EnoughSeen()
  }

  equal(seen: unknown, expected: unknown): void {
    if (isDeepStrictEqual(seen, expected)) return
    throw new Error(`expected ${JSON.stringify(expected)}, seen ${JSON.stringify(seen)}`)
  }

  true(condition: boolean, message: string): void {
    if (!condition) throw new Error(message)
  }
}

/** What later checks count on is done in any case: plainly, where the library has no way to do it as asked. */
export async function orPlainly<T>(asked: () => Promise<T>, plainly: () => Promise<unknown>): Promise<T> {
  try {
    return await asked()
  } catch (error) {
    if (error instanceof Error && error.name === 'Unsupported') await plainly()
    throw error
  }
}

/** What later checks count on, and no check of its own: answers whether it was done as asked. */
export async function unlessUnsupported(
  asked: () => Promise<unknown>,
  plainly: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await orPlainly(asked, plainly)
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'Unsupported') return false
    throw error
  }
}

/** @throws Error when the call succeeds, or fails with another error */
export async function expectError(run: SmokeRun, name: RegExp, call: () => Promise<unknown>): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    return run.true(name.test(error.name), `error ${error.name} (${error.message}), expected ${name}`)
  }
  throw new Error(`no error, expected ${name}`)
}
