import type { FastifyInstance } from 'fastify'
import type { PulsarService } from '../service.js'
import { AdminError } from './errors.js'
import { needs } from './rights.js'

interface ClusterRoute {
  readonly Params: { readonly cluster: string }
}

/** /admin/v2/clusters: there is one, which cannot be changed; no failure domains, no isolation policies, no peers. */
export function clusters(app: FastifyInstance, service: PulsarService): void {
  const { clusterName } = service.context.config
  const one = '/admin/v2/clusters/:cluster'
  const mustExist = ({ cluster }: ClusterRoute['Params']) => {
    if (cluster !== clusterName) throw new AdminError(404, 'Cluster does not exist')
  }
  const refused = (): never => {
    throw new AdminError(405, 'This broker is a cluster of its own: clusters are not changed')
  }

  app.get('/admin/v2/clusters', needs('login'), () => [clusterName])
  app.get<ClusterRoute>(one, needs('login'), ({ params }) => {
    mustExist(params)
    return {
      serviceUrl: service.httpUrl,
      brokerServiceUrl: service.serviceUrl,
      brokerClientTlsEnabled: false,
      tlsAllowInsecureConnection: false,
    }
  })
  app.get<ClusterRoute>(`${one}/failureDomains`, needs('super'), ({ params }) => {
    mustExist(params)
    return {}
  })
  app.get<ClusterRoute>(`${one}/peers`, needs('super'), ({ params }) => {
    mustExist(params)
    return []
  })
  app.get<ClusterRoute>(`${one}/namespaceIsolationPolicies`, needs('super'), ({ params }) => {
    mustExist(params)
    throw new AdminError(404, `NamespaceIsolationPolicies for cluster ${params.cluster} does not exist`)
  })
  app.put(one, needs('super'), refused)
  app.post(one, needs('super'), refused)
  app.delete(one, needs('super'), refused)
}
