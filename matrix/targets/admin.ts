import type { PulsarSecurity } from '../driver/messages.js'
import { askRest } from '../rest.js'

const TIMEOUT_MS = 10_000

/**
 * Closes the current ledger of a topic by Pulsar's admin REST: unloading it makes the next append open a new one.
 *
 * @param topic `persistent://tenant/namespace/name`, a partition by its own name
 * @throws Error with the answer's status and reason
 */
export async function unloadTopic(adminUrl: string, topic: string): Promise<void> {
  const [, domain, tenant, namespace, name] = /^(\w+):\/\/([^/]+)\/([^/]+)\/(.+)$/.exec(topic) ?? []
  if (!domain || !tenant || !namespace || !name) throw new Error(`${topic} is no full Pulsar topic name`)
  const url = `${adminUrl}/admin/v2/${domain}/${tenant}/${namespace}/${encodeURIComponent(name)}/unload`
  const answer = await fetch(url, { method: 'PUT', signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!answer.ok) throw new Error(`PUT ${url}: ${answer.status} ${(await answer.text()).slice(0, 200)}`)
}

/** The version that a Pulsar admin REST tells of its broker; null when it tells none. */
export async function brokerVersion(adminUrl: string, security: PulsarSecurity = {}): Promise<string | null> {
  const path = '/admin/v2/brokers/version'
  try {
    const { status, text } = await askRest(adminUrl, {
      method: 'GET',
      path,
      timeoutMs: TIMEOUT_MS,
      ...security,
    })
    return status === 200 ? text.trim() : null
  } catch {
    return null
  }
}
