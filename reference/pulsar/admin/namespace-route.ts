import type { PulsarService } from '../service.js'
import { AdminError } from './errors.js'

export interface NamespaceRoute {
  readonly Params: { readonly tenant: string; readonly namespace: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

export const NAMESPACE_PATH = '/admin/v2/namespaces/:tenant/:namespace'

/** @throws AdminError */
export function mustExist(service: PulsarService, { tenant, namespace }: NamespaceRoute['Params']): void {
  if (!service.context.catalog.tenants.hasNamespace(tenant, namespace))
    throw new AdminError(404, 'Namespace does not exist')
}
