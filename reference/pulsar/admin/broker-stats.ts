import type { FastifyInstance } from 'fastify'
import type { PulsarService } from '../service.js'
import { hostOf } from './brokers.js'
import { bundleOf } from './bundles.js'
import { AdminError } from './errors.js'
import { needs } from './rights.js'
import { topicStats } from './stats.js'

/**
 * /admin/v2/broker-stats: the topics, by namespace and bundle, and what the broker is. Its own metrics are at /metrics,
 * so that `metrics` and `mbeans` are empty here. Left out: load, allocators.
 */
export function brokerStats(app: FastifyInstance, service: PulsarService): void {
  const base = '/admin/v2/broker-stats'
  const need = needs('super')
  app.get(`${base}/topics`, need, () => byNamespace(service))
  app.get(`${base}/metrics`, need, () => [])
  app.get(`${base}/mbeans`, need, () => [])
  app.get(`${base}/load-report`, need, () => ({
    webServiceUrl: service.httpUrl,
    pulsarServiceUrl: service.serviceUrl,
    name: hostOf(service),
    persistentTopicsEnabled: true,
    nonPersistentTopicsEnabled: false,
    lastUpdate: service.context.clock.nowMs(),
    loadReportType: 'LocalBrokerData',
  }))
  app.get(`${base}/allocator-stats/:allocator`, need, () => {
    throw new AdminError(404, 'There is no such allocator')
  })
}

async function byNamespace(service: PulsarService): Promise<object> {
  const { catalog } = service.context
  const all: Record<string, Record<string, { persistent: Record<string, object> }>> = {}
  for (const tenant of catalog.tenants.listTenants())
    for (const namespace of catalog.tenants.listNamespaces(tenant)) {
      const policies = catalog.tenants.policies(tenant, namespace)
      const bundles: Record<string, { persistent: Record<string, object> }> = {}
      for (const info of catalog.list(tenant, namespace))
        for (const topic of await service.openAll(info)) {
          const bundle = bundleOf(policies, topic.log.pulsarName)
          bundles[bundle] ??= { persistent: {} }
          bundles[bundle].persistent[topic.log.pulsarName] = await topicStats(topic)
        }
      if (Object.keys(bundles).length > 0) all[`${tenant}/${namespace}`] = bundles
    }
  return all
}
