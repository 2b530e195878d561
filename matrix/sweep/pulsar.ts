/** What is left of a run on the Pulsar side of a target, found by its names, and deleted by the admin REST. */

import type { PulsarSecurity } from '../driver/messages.js'
import { askRest } from '../rest.js'

const TIMEOUT_MS = 10_000

/** Where the admin REST is, and what it is shown. */
export interface AdminRest {
  readonly address: string
  readonly security: PulsarSecurity
}

/** Topics, namespaces and tenants whose names begin with `prefix`. `namespaces`: where else its topics may be. */
export async function sweepPulsar(
  admin: AdminRest,
  prefix: string,
  namespaces: readonly string[],
): Promise<void> {
  const client = new Rest(admin)
  const own = await ownNamespaces(client, prefix, namespaces)
  for (const namespace of [...namespaces, ...own.namespaces]) {
    const isOwn = own.namespaces.includes(namespace)
    for (const topic of await topicsOf(client, namespace, isOwn ? '' : prefix)) {
      await client.delete(`/${topic.path}?force=true`)
    }
    if (isOwn) await client.delete(`/namespaces/${namespace}`)
  }
  for (const tenant of own.tenants) await client.delete(`/tenants/${tenant}`)
}

/** What is there still, by its full names. */
export async function leftInPulsar(
  admin: AdminRest,
  prefix: string,
  namespaces: readonly string[],
): Promise<string[]> {
  const client = new Rest(admin)
  const own = await ownNamespaces(client, prefix, namespaces)
  const topics = await Promise.all(namespaces.map((namespace) => topicsOf(client, namespace, prefix)))
  return [
    ...own.tenants.map((tenant) => `tenant ${tenant}`),
    ...own.namespaces.map((namespace) => `namespace ${namespace}`),
    ...topics.flat().map(({ name }) => `topic ${name}`),
  ]
}

async function ownNamespaces(
  client: Rest,
  prefix: string,
  namespaces: readonly string[],
): Promise<{ tenants: string[]; namespaces: string[] }> {
  const all = await client.list('/tenants')
  const tenants = all.filter((tenant) => tenant.startsWith(prefix))
  const others = new Set(namespaces.map((namespace) => namespace.split('/')[0] ?? ''))
  const found = [...tenants, ...all.filter((tenant) => others.has(tenant))].map(async (tenant) => {
    const names = await client.list(`/namespaces/${tenant}`)
    return names.filter((name) => tenants.includes(tenant) || name.startsWith(`${tenant}/${prefix}`))
  })
  return { tenants, namespaces: (await Promise.all(found)).flat() }
}

interface FoundTopic {
  readonly name: string
  /** Below `/admin/v2`. */
  readonly path: string
}

async function topicsOf(client: Rest, namespace: string, prefix: string): Promise<FoundTopic[]> {
  const isOurs = (name: string) => name.slice(name.lastIndexOf('/') + 1).startsWith(prefix)
  const partitioned = (await client.list(`/persistent/${namespace}/partitioned`)).filter(isOurs)
  const plain = (await client.list(`/persistent/${namespace}`)).filter(
    (name) => isOurs(name) && !partitioned.some((whole) => name.startsWith(`${whole}-partition-`)),
  )
  return [
    ...partitioned.map((name) => ({ name, path: `${pathOf(name)}/partitions` })),
    ...plain.map((name) => ({ name, path: pathOf(name) })),
  ]
}

const pathOf = (topic: string): string => {
  const [domain = '', rest = ''] = topic.split('://')
  const [tenant = '', namespace = '', ...name] = rest.split('/')
  return `${domain}/${tenant}/${namespace}/${encodeURIComponent(name.join('/'))}`
}

class Rest {
  readonly #rest: AdminRest

  constructor(rest: AdminRest) {
    this.#rest = rest
  }

  /** Empty where there is no such thing. */
  async list(path: string): Promise<string[]> {
    const { status, text } = await this.#ask('GET', path)
    return status === 200 ? (JSON.parse(text) as string[]) : []
  }

  /** A refusal is not told: a later look shows what is left. */
  async delete(path: string): Promise<void> {
    await this.#ask('DELETE', path)
  }

  #ask(method: string, path: string) {
    const { address, security } = this.#rest
    return askRest(address, { method, path: `/admin/v2${path}`, timeoutMs: TIMEOUT_MS, ...security })
  }
}
