import type { FastifyInstance } from 'fastify'
import type { PulsarService } from '../service.js'

/** /admin/v2/brokers */
export function brokers(app: FastifyInstance, service: PulsarService): void {
  const base = '/admin/v2/brokers'
  app.get(`${base}/health`, () => 'ok')
  app.get(`${base}/ready`, () => 'ok')
  app.get(`${base}/version`, () => 'kop-conformance-reference')
  app.get(base, () => [hostOf(service)])
  app.get(`${base}/:cluster`, () => [hostOf(service)])
}

const hostOf = (service: PulsarService): string => (service.httpUrl ?? '').replace('http://', '')
