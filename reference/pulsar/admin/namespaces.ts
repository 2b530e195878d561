import type { FastifyInstance } from 'fastify'
import { topicNames } from '../commands/get-topics-of-namespace.js'
import { isEntityName } from '../names.js'
import type { PulsarService } from '../service.js'
import { AdminError, accepted } from './errors.js'
import { unloadTopic } from './topics.js'

interface NamespaceRoute {
  readonly Params: { readonly tenant: string; readonly namespace: string }
  readonly Querystring: { readonly force?: string }
}

/** /admin/v2/namespaces */
export function namespaces(app: FastifyInstance, service: PulsarService): void {
  const { catalog } = service.context
  const base = '/admin/v2/namespaces'
  const one = `${base}/:tenant/:namespace`
  const mustExist = ({ tenant, namespace }: NamespaceRoute['Params']) => {
    if (!catalog.tenants.hasNamespace(tenant, namespace))
      throw new AdminError(404, 'Namespace does not exist')
  }

  app.get<NamespaceRoute>(`${base}/:tenant`, ({ params: { tenant } }) => {
    if (!catalog.tenants.listTenants().includes(tenant)) throw new AdminError(404, 'Tenant does not exist')
    return catalog.tenants.listNamespaces(tenant).map((namespace) => `${tenant}/${namespace}`)
  })

  app.get<NamespaceRoute>(one, ({ params }) => {
    mustExist(params)
    return { replication_clusters: [service.context.config.clusterName], bundles: ONE_BUNDLE }
  })

  app.get<NamespaceRoute>(`${one}/bundles`, ({ params }) => {
    mustExist(params)
    return ONE_BUNDLE
  })

  app.get<NamespaceRoute>(`${one}/topics`, ({ params }) => {
    mustExist(params)
    return topicNames(service, params.tenant, params.namespace)
  })

  app.put<NamespaceRoute>(one, async ({ params: { tenant, namespace } }, reply) => {
    if (!isEntityName(namespace)) throw new AdminError(412, 'Namespace name is not valid')
    if (!catalog.tenants.listTenants().includes(tenant)) throw new AdminError(404, 'Tenant does not exist')
    if (!(await catalog.tenants.createNamespace(tenant, namespace)))
      throw new AdminError(409, 'Namespace already exists')
    return reply.status(204).send()
  })

  app.delete<NamespaceRoute>(one, async ({ params, query }, reply) => {
    mustExist(params)
    const { tenant, namespace } = params
    const topics = catalog.list(tenant, namespace)
    if (topics.length > 0 && query.force !== 'true')
      throw new AdminError(409, 'Cannot delete non empty namespace')
    for (const info of topics) {
      accepted(await catalog.delete(info.name))
      await service.schemas.delete(info)
    }
    if (!(await catalog.tenants.deleteNamespace(tenant, namespace)))
      throw new AdminError(409, 'Cannot delete non empty namespace')
    return reply.status(204).send()
  })

  app.put<NamespaceRoute>(`${one}/unload`, async ({ params }, reply) => {
    mustExist(params)
    for (const info of catalog.list(params.tenant, params.namespace)) await unloadTopic(service, info)
    return reply.status(204).send()
  })
}

const ONE_BUNDLE = { boundaries: ['0x00000000', '0xffffffff'], numBundles: 1 }
