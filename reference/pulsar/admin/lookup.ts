import type { FastifyInstance } from 'fastify'
import { fullName } from '../names.js'
import type { PulsarService } from '../service.js'
import { bare } from './answers.js'
import { bundleOf } from './bundles.js'
import { parsed, type TopicRoute } from './resolve.js'
import { needs } from './rights.js'

/** /lookup/v2/topic: this broker owns every topic, and every bundle. */
export function lookup(app: FastifyInstance, service: PulsarService): void {
  const path = '/lookup/v2/topic/persistent/:tenant/:namespace/:topic'
  app.get<TopicRoute>(path, needs('topic-any'), ({ params }) => {
    parsed(service, params)
    return {
      brokerUrl: service.serviceUrl,
      brokerUrlTls: service.serviceUrlTls ?? '',
      httpUrl: service.httpUrl,
      httpUrlTls: service.httpUrlTls ?? '',
      nativeUrl: service.serviceUrl,
      brokerUrlSsl: service.serviceUrlTls ?? '',
    }
  })
  app.get<TopicRoute>(`${path}/bundle`, needs('topic-any'), ({ params }, reply) => {
    const { literal } = parsed(service, params)
    const policies = service.context.catalog.tenants.policies(params.tenant, params.namespace)
    return bare(reply, bundleOf(policies, fullName(literal)))
  })
}
