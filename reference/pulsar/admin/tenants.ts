import type { FastifyInstance } from 'fastify'
import type { TenantInfo } from '../../topics/policies.js'
import { isEntityName } from '../names.js'
import type { PulsarService } from '../service.js'
import { done } from './answers.js'
import { AdminError, objectBody, textList } from './errors.js'
import { deleteNamespace } from './namespaces.js'
import { needs } from './rights.js'

interface TenantRoute {
  readonly Params: { readonly tenant: string }
  readonly Querystring: { readonly force?: string }
}

/** /admin/v2/tenants: who administers them is kept, and asked by the authorization. */
export function tenants(app: FastifyInstance, service: PulsarService): void {
  const { tenants: catalog } = service.context.catalog
  const { clusterName } = service.context.config
  const base = '/admin/v2/tenants'

  app.get(base, needs('super'), () => catalog.listTenants())

  app.get<TenantRoute>(`${base}/:tenant`, needs('tenant-admin'), ({ params }) => {
    const info = catalog.tenant(params.tenant)
    if (info === undefined) throw new AdminError(404, 'Tenant does not exist')
    // Those that the configuration or an older version made name none.
    return {
      ...info,
      allowedClusters: info.allowedClusters.length === 0 ? [clusterName] : info.allowedClusters,
    }
  })

  app.put<TenantRoute>(`${base}/:tenant`, needs('super'), async ({ params, body }, reply) => {
    if (!isEntityName(params.tenant)) throw new AdminError(412, 'Tenant name is not valid')
    if (catalog.tenant(params.tenant) !== undefined) throw new AdminError(409, 'Tenant already exist')
    const info = tenantInfo(body, clusterName)
    if (!(await catalog.createTenant(params.tenant, info))) throw new AdminError(409, 'Tenant already exist')
    return done(reply)
  })

  app.post<TenantRoute>(`${base}/:tenant`, needs('super'), async ({ params, body }, reply) => {
    const info = tenantInfo(body, clusterName)
    if (!(await catalog.updateTenant(params.tenant, info)))
      throw new AdminError(404, `Tenant ${params.tenant} not found`)
    return done(reply)
  })

  app.delete<TenantRoute>(`${base}/:tenant`, needs('super'), async ({ params, query }, reply) => {
    const { tenant } = params
    if (catalog.tenant(tenant) === undefined) throw new AdminError(404, "Tenant doesn't exist")
    if (query.force === 'true')
      for (const namespace of catalog.listNamespaces(tenant))
        await deleteNamespace(service, tenant, namespace, true)
    if (!(await catalog.deleteTenant(tenant)))
      throw new AdminError(409, 'The tenant still has active namespaces')
    return done(reply)
  })
}

/** @throws AdminError as Pulsar refuses it: without a body, without clusters, with others than there are. */
function tenantInfo(body: unknown, clusterName: string): TenantInfo {
  const json = objectBody(body)
  if (json === undefined) throw new AdminError(412, 'TenantInfo is null')
  const allowedClusters = textList(json.allowedClusters ?? [], 'allowedClusters')
  if (allowedClusters.length === 0 || allowedClusters.some((cluster) => cluster.trim() === ''))
    throw new AdminError(412, 'Clusters cannot be empty or blank')
  if (allowedClusters.some((cluster) => cluster !== clusterName))
    throw new AdminError(412, 'Clusters do not exist')
  const adminRoles = textList(json.adminRoles ?? [], 'adminRoles')
  if (adminRoles.some((role) => role.trim() === ''))
    throw new AdminError(412, 'AdminRoles cannot be empty or blank')
  return { adminRoles, allowedClusters }
}
