import type { FastifyInstance } from 'fastify'
import { isEntityName } from '../names.js'
import type { PulsarService } from '../service.js'
import { AdminError } from './errors.js'

interface TenantRoute {
  readonly Params: { readonly tenant: string }
}

/** /admin/v2/tenants */
export function tenants(app: FastifyInstance, service: PulsarService): void {
  const { tenants: catalog } = service.context.catalog
  const base = '/admin/v2/tenants'
  const mustExist = (tenant: string) => {
    if (!catalog.listTenants().includes(tenant)) throw new AdminError(404, 'Tenant does not exist')
  }

  app.get(base, () => catalog.listTenants())

  app.get<TenantRoute>(`${base}/:tenant`, ({ params }) => {
    mustExist(params.tenant)
    return { adminRoles: [], allowedClusters: [service.context.config.clusterName] }
  })

  app.put<TenantRoute>(`${base}/:tenant`, async ({ params }, reply) => {
    if (!isEntityName(params.tenant)) throw new AdminError(412, 'Tenant name is not valid')
    if (!(await catalog.createTenant(params.tenant))) throw new AdminError(409, 'Tenant already exist')
    return reply.status(204).send()
  })

  app.post<TenantRoute>(`${base}/:tenant`, ({ params }, reply) => {
    mustExist(params.tenant)
    return reply.status(204).send()
  })

  app.delete<TenantRoute>(`${base}/:tenant`, async ({ params }, reply) => {
    mustExist(params.tenant)
    if (catalog.listNamespaces(params.tenant).length > 0)
      throw new AdminError(409, 'The tenant still has active namespaces')
    if (!(await catalog.deleteTenant(params.tenant)))
      throw new AdminError(409, 'The tenant cannot be deleted')
    return reply.status(204).send()
  })
}
