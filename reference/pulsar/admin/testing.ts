import { ManualClock } from '../../base/clock.js'
import type { StoredTopics } from '../../topics/catalog.js'
import { accepted, openPartition, sendOf, TestTopics } from '../../topics/testing.js'
import type { PartitionLog } from '../../topics/types.js'
import { testContext } from '../testing.js'
import { startAdmin } from './server.js'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** For tests: the admin server over topics in a directory of their own. */
export class TestAdmin {
  readonly clock: ManualClock
  readonly catalog: StoredTopics
  readonly context: ReturnType<typeof testContext>
  readonly port: number
  readonly #topics: TestTopics
  readonly #close: () => Promise<void>

  private constructor(parts: Pick<TestAdmin, 'catalog' | 'context' | 'port' | 'clock'> & Parts) {
    this.clock = parts.clock
    this.catalog = parts.catalog
    this.context = parts.context
    this.port = parts.port
    this.#topics = parts.topics
    this.#close = parts.close
  }

  static async start(): Promise<TestAdmin> {
    const topics = new TestTopics()
    const clock = new ManualClock(1_000)
    const catalog = await topics.open({ clock })
    const context = testContext(catalog, clock)
    const { port, close } = await startAdmin(context, { host: '127.0.0.1', port: 0 })
    return new TestAdmin({ topics, clock, catalog, context, port, close })
  }

  async stop(): Promise<void> {
    await this.#close()
    await this.#topics.remove()
  }

  fetch(method: string, path: string, body?: unknown): Promise<Response> {
    const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    return fetch(`http://127.0.0.1:${this.port}${path}`, { method, ...(body === undefined ? {} : json) })
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await this.fetch(method, path, body)
    const text = await response.text()
    try {
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    } catch {
      return { status: response.status, body: text }
    }
  }

  async status(method: string, path: string, body?: unknown): Promise<number> {
    return (await this.call(method, path, body)).status
  }

  async read(path: string): Promise<unknown> {
    return (await this.call('GET', path)).body
  }

  /** Partition 0 of a topic with messages `m0`, `m1` …, 100 ms apart. */
  async filled(local: string, count: number): Promise<PartitionLog> {
    const log = await openPartition(this.catalog, local)
    for (let at = 0; at < count; at++) {
      accepted(await log.appendPulsar(sendOf(`m${at}`, at)))
      this.clock.advance(100)
    }
    return log
  }
}

interface Parts {
  readonly topics: TestTopics
  readonly close: () => Promise<void>
}

export const topicPath = (local: string): string => `/admin/v2/persistent/public/default/${local}`
