import type { FastifyInstance } from 'fastify'
import type { PulsarService } from '../service.js'
import { AdminError } from './errors.js'

/** /admin/v2/clusters: there is one. */
export function clusters(app: FastifyInstance, service: PulsarService): void {
  const { clusterName } = service.context.config
  app.get('/admin/v2/clusters', () => [clusterName])
  app.get<{ Params: { cluster: string } }>('/admin/v2/clusters/:cluster', ({ params }) => {
    if (params.cluster !== clusterName) throw new AdminError(404, 'Cluster does not exist')
    return { serviceUrl: service.httpUrl, brokerServiceUrl: service.serviceUrl }
  })
}
