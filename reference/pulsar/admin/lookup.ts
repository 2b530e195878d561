import type { FastifyInstance } from 'fastify'
import type { PulsarService } from '../service.js'
import { parsed, type TopicRoute } from './resolve.js'

/** /lookup/v2/topic: this broker owns every topic. */
export function lookup(app: FastifyInstance, service: PulsarService): void {
  const path = '/lookup/v2/topic/persistent/:tenant/:namespace/:topic'
  app.get<TopicRoute>(path, ({ params }) => {
    parsed(service, params)
    return {
      brokerUrl: service.serviceUrl,
      brokerUrlTls: '',
      httpUrl: service.httpUrl,
      httpUrlTls: '',
      nativeUrl: service.serviceUrl,
      brokerUrlSsl: '',
    }
  })
  app.get<TopicRoute>(`${path}/bundle`, ({ params }, reply) => {
    parsed(service, params)
    return reply.send('0x00000000_0xffffffff')
  })
}
