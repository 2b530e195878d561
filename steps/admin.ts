import { Unsupported } from '../matrix/driver/errors.js'
import { askRest } from '../matrix/rest.js'
import type { PulsarSecurity } from './addresses.js'

/** Pulsar's admin REST API, as far as scenarios manage topics by it or look at what the broker says of them. */
export class PulsarAdmin {
  readonly #base: string
  readonly #security: PulsarSecurity

  constructor(address: string | undefined, security: PulsarSecurity = {}) {
    if (address === undefined) throw new Unsupported('the target has no admin address')
    this.#base = address
    this.#security = security
  }

  /** @param topic `persistent://tenant/namespace/name` */
  async createPartitioned(topic: string, partitions: number): Promise<void> {
    await this.#send('PUT', `${path(topic)}/partitions`, partitions)
  }

  async raisePartitions(topic: string, partitions: number): Promise<void> {
    await this.#send('POST', `${path(topic)}/partitions`, partitions)
  }

  async createUnpartitioned(topic: string): Promise<void> {
    await this.#send('PUT', path(topic))
  }

  async delete(topic: string, partitioned: boolean): Promise<void> {
    await this.#send('DELETE', `${path(topic)}${partitioned ? '/partitions' : ''}?force=true`)
  }

  async createNamespace(namespace: string): Promise<void> {
    const [tenant = '', name] = namespace.split('/')
    await this.#tolerateConflict('PUT', `/admin/v2/tenants/${tenant}`, {
      adminRoles: [],
      allowedClusters: await this.#json('/admin/v2/clusters'),
    })
    if (name !== undefined) await this.#tolerateConflict('PUT', `/admin/v2/namespaces/${namespace}`, {})
  }

  async partitions(topic: string): Promise<number> {
    const { partitions } = (await this.#json(`${path(topic)}/partitions`)) as { partitions: number }
    return partitions
  }

  /** The address that Pulsar's own look-up names as the owner: `pulsar://host:port`. */
  async lookup(topic: string): Promise<string> {
    const found = (await this.#json(`/lookup/v2/topic/${topic.replace('://', '/')}`)) as { brokerUrl: string }
    return found.brokerUrl
  }

  /** Names of the subscriptions of a topic's partition, and how many entries they hold back. */
  async subscriptions(topic: string): Promise<Record<string, { msgBacklog: number; isDurable?: boolean }>> {
    const stats = (await this.#json(`${path(topic)}/stats`)) as {
      subscriptions?: Record<string, { msgBacklog: number; isDurable?: boolean }>
    }
    return stats.subscriptions ?? {}
  }

  async #json(url: string): Promise<unknown> {
    return JSON.parse(await this.#ask('GET', url))
  }

  async #send(method: string, url: string, body?: unknown): Promise<void> {
    await this.#ask(method, url, body)
  }

  async #tolerateConflict(method: string, url: string, body: unknown): Promise<void> {
    await this.#send(method, url, body).catch((error: unknown) => {
      if (!(error instanceof AdminRefused)) throw error
      if (error.status === 401 || error.status === 403) {
        throw new Unsupported(`the suite may not make tenants or namespaces here: ${error.message}`)
      }
      if (error.status !== 409) throw error
    })
  }

  async #ask(method: string, path: string, body?: unknown): Promise<string> {
    const { status, text } = await askRest(this.#base, { method, path, body, ...this.#security })
    if (status >= 200 && status < 300) return text
    throw new AdminRefused(status, `${method} ${path}: ${status} ${text}`)
  }
}

export class AdminRefused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'AdminRefused'
    this.status = status
  }
}

const path = (topic: string): string => `/admin/v2/${topic.replace('://', '/')}`
