import type { FastifyInstance } from 'fastify'
import { effectivePolicies, type StoragePolicies } from '../../topics/policies.js'
import type { PulsarService } from '../service.js'
import { done, value } from './answers.js'
import { AdminError, accepted, jsonBody } from './errors.js'
import { backlogQuotas, type Policy, policies } from './policies.js'
import { owner, TOPIC_PATH, type TopicRoute } from './resolve.js'
import { needs } from './rights.js'
import { backlogQuota, checkQuota, quotaType, withQuota } from './storage-policies.js'

const ofTopics = policies.filter(({ topicPath }) => topicPath !== null)

/**
 * …/:topic/<policy>: topic-level policies, over those of the namespace (`?applied=true` tells what holds in the end).
 * Kept with the topic, whichever of its partitions is named. See `policies.ts` for what they do.
 */
export function topicPolicies(app: FastifyInstance, service: PulsarService): void {
  for (const policy of [...ofTopics, backlogQuotas]) readRoute(app, service, policy)
  for (const policy of ofTopics) writeRoutes(app, service, policy)
  quotaRoutes(app, service)
}

async function change(
  service: PulsarService,
  params: TopicRoute['Params'],
  how: (before: StoragePolicies) => StoragePolicies,
): Promise<void> {
  const { name } = owner(service, params)
  accepted(
    await service.context.catalog.setAttributes(name, ({ properties, policies: before = {} }) => ({
      properties,
      policies: how(before),
    })),
  )
}

function readRoute(app: FastifyInstance, service: PulsarService, policy: Policy): void {
  const path = `${TOPIC_PATH}/${policy.topicPath}`
  app.get<TopicRoute>(path, needs('tenant-admin'), ({ params, query }, reply) => {
    const own = owner(service, params).policies
    if (query.applied !== 'true') return value(reply, policy.read(own ?? {}) ?? emptyMap(policy))
    const namespace = service.context.catalog.tenants.policies(params.tenant, params.namespace)
    return value(reply, policy.read(effectivePolicies(namespace, own)) ?? policy.fallback)
  })
}

const emptyMap = (policy: Policy): object | undefined => (policy === backlogQuotas ? {} : undefined)

function writeRoutes(app: FastifyInstance, service: PulsarService, policy: Policy): void {
  const path = `${TOPIC_PATH}/${policy.topicPath}`
  app.route<TopicRoute>({
    method: ['POST', 'PUT'],
    url: path,
    ...needs('tenant-admin'),
    handler: async ({ params, query, body }, reply) => {
      const json = jsonBody(body) ?? inQuery(policy, query)
      if (json === undefined || json === null) throw new AdminError(400, 'The policy is missing')
      const checked = policy.check(json)
      await change(service, params, (before) => policy.write(before, checked))
      return done(reply)
    },
  })
  app.delete<TopicRoute>(path, needs('tenant-admin'), async ({ params }, reply) => {
    await change(service, params, (before) => policy.write(before, undefined))
    return done(reply)
  })
}

/** Tools send a topic's time to live as a parameter of its name. */
function inQuery(policy: Policy, query: TopicRoute['Querystring']): number | undefined {
  const text = query[policy.path]
  return text === undefined ? undefined : Number(text)
}

function quotaRoutes(app: FastifyInstance, service: PulsarService): void {
  const path = `${TOPIC_PATH}/backlogQuota`
  app.post<TopicRoute>(path, needs('tenant-admin'), async ({ params, query, body }, reply) => {
    const type = quotaType(query.backlogQuotaType)
    const quota = backlogQuota(jsonBody(body))
    const namespace = service.context.catalog.tenants.policies(params.tenant, params.namespace)
    checkQuota(quota, effectivePolicies(namespace, owner(service, params).policies).retention)
    await change(service, params, (before) => withQuota(before, type, quota))
    return done(reply)
  })
  app.delete<TopicRoute>(path, needs('tenant-admin'), async ({ params, query }, reply) => {
    const type = quotaType(query.backlogQuotaType)
    await change(service, params, (before) => withQuota(before, type, undefined))
    return done(reply)
  })
}
