import type { FastifyInstance } from 'fastify'
import type { NamespacePolicies } from '../../topics/policies.js'
import type { PulsarService } from '../service.js'
import { done, value } from './answers.js'
import { BUNDLES_MAX, boundaries, bundlesPolicy } from './bundles.js'
import { AdminError, isObject, jsonBody, objectBody, textList, textsOf } from './errors.js'
import { mustExist, NAMESPACE_PATH, type NamespaceRoute } from './namespace-route.js'
import { backlogQuotas, type Policy, policies, topicOnly } from './policies.js'
import { needs } from './rights.js'
import { backlogQuota, checkQuota, quotaType, withQuota } from './storage-policies.js'

const ofNamespaces = [...policies, backlogQuotas].filter(({ path }) => !topicOnly.has(path))

/** /admin/v2/namespaces/:tenant/:namespace/…: one route a policy; see `policies.ts` for what they do. */
export function namespacePolicies(app: FastifyInstance, service: PulsarService): void {
  for (const policy of ofNamespaces) readRoute(app, service, policy)
  for (const policy of policies) if (!topicOnly.has(policy.path)) writeRoutes(app, service, policy)
  quotaRoutes(app, service)
  replication(app, service)
  propertyRoutes(app, service)
}

/** Changes the namespace's policies. @throws AdminError when there is no such namespace. */
export async function change(
  service: PulsarService,
  { tenant, namespace }: NamespaceRoute['Params'],
  how: (before: NamespacePolicies) => NamespacePolicies,
): Promise<void> {
  if (!(await service.context.catalog.tenants.updatePolicies(tenant, namespace, how)))
    throw new AdminError(404, 'Namespace does not exist')
}

export function policiesOf(service: PulsarService, params: NamespaceRoute['Params']): NamespacePolicies {
  mustExist(service, params)
  return service.context.catalog.tenants.policies(params.tenant, params.namespace)
}

function readRoute(app: FastifyInstance, service: PulsarService, policy: Policy): void {
  app.get<NamespaceRoute>(`${NAMESPACE_PATH}/${policy.path}`, needs('tenant-admin'), ({ params }, reply) =>
    value(reply, policy.read(policiesOf(service, params)) ?? policy.fallback),
  )
}

/** Tools use POST for some and PUT for others: both set. A body of null, or none, takes the policy away. */
function writeRoutes(app: FastifyInstance, service: PulsarService, policy: Policy): void {
  const path = `${NAMESPACE_PATH}/${policy.path}`
  app.route<NamespaceRoute>({
    method: ['POST', 'PUT'],
    url: path,
    ...needs('tenant-admin'),
    handler: async ({ params, body }, reply) => {
      const json = jsonBody(body)
      const checked = json === undefined || json === null ? undefined : policy.check(json)
      await change(service, params, (before) => policy.write(before, checked))
      return done(reply)
    },
  })
  const removed = policy.path === 'offloadPolicies' ? `${NAMESPACE_PATH}/removeOffloadPolicies` : path
  app.delete<NamespaceRoute>(removed, needs('tenant-admin'), async ({ params }, reply) => {
    await change(service, params, (before) => policy.write(before, undefined))
    return done(reply)
  })
}

function quotaRoutes(app: FastifyInstance, service: PulsarService): void {
  const path = `${NAMESPACE_PATH}/backlogQuota`
  app.post<NamespaceRoute>(path, needs('tenant-admin'), async ({ params, query, body }, reply) => {
    const type = quotaType(query.backlogQuotaType)
    const quota = backlogQuota(jsonBody(body))
    checkQuota(quota, policiesOf(service, params).retention)
    await change(service, params, (before) => withQuota(before, type, quota))
    return done(reply)
  })
  app.delete<NamespaceRoute>(path, needs('tenant-admin'), async ({ params, query }, reply) => {
    const type = quotaType(query.backlogQuotaType)
    await change(service, params, (before) => withQuota(before, type, undefined))
    return done(reply)
  })
}

/** There is one cluster: data is there, and goes nowhere else. */
function replication(app: FastifyInstance, service: PulsarService): void {
  const { clusterName } = service.context.config
  const only = (body: unknown) => {
    const stranger = textList(jsonBody(body), 'The body').find((cluster) => cluster !== clusterName)
    if (stranger !== undefined) throw new AdminError(403, `Invalid cluster id: ${stranger}`)
  }
  app.get<NamespaceRoute>(`${NAMESPACE_PATH}/replication`, needs('tenant-admin'), ({ params }) => {
    mustExist(service, params)
    return [clusterName]
  })
  app.post<NamespaceRoute>(`${NAMESPACE_PATH}/replication`, needs('super'), ({ params, body }, reply) => {
    mustExist(service, params)
    only(body)
    return done(reply)
  })
  app.get<NamespaceRoute>(`${NAMESPACE_PATH}/allowedClusters`, needs('tenant-admin'), ({ params }) => {
    mustExist(service, params)
    return []
  })
  app.post<NamespaceRoute>(`${NAMESPACE_PATH}/allowedClusters`, needs('super'), ({ params, body }, reply) => {
    mustExist(service, params)
    only(body)
    return done(reply)
  })
}

function propertyRoutes(app: FastifyInstance, service: PulsarService): void {
  const path = `${NAMESPACE_PATH}/properties`
  const one = `${NAMESPACE_PATH}/property/:key`
  type PropertyRoute = NamespaceRoute & { Params: { readonly key: string; readonly value: string } }
  const of = (before: NamespacePolicies) => textsOf(before.kept?.properties)
  const put = (
    params: NamespaceRoute['Params'],
    how: (before: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ) =>
    change(service, params, (before) => ({
      ...before,
      kept: { ...before.kept, properties: how(of(before)) },
    }))

  app.get<NamespaceRoute>(path, needs('tenant-admin'), ({ params }) => of(policiesOf(service, params)))
  app.put<NamespaceRoute>(path, needs('tenant-admin'), async ({ params, body }, reply) => {
    const given = textsOf(objectBody(body))
    await put(params, (before) => ({ ...before, ...given }))
    return done(reply)
  })
  app.delete<NamespaceRoute>(path, needs('tenant-admin'), async ({ params }, reply) => {
    await put(params, () => ({}))
    return done(reply)
  })
  app.get<PropertyRoute>(one, needs('tenant-admin'), ({ params }, reply) => {
    const found = of(policiesOf(service, params))[params.key]
    return found === undefined ? value(reply, undefined) : reply.type('application/json').send(found)
  })
  app.put<PropertyRoute>(`${one}/:value`, needs('tenant-admin'), async ({ params }, reply) => {
    await put(params, (before) => ({ ...before, [params.key]: params.value }))
    return done(reply)
  })
  app.delete<PropertyRoute>(one, needs('tenant-admin'), async ({ params }, reply) => {
    const found = of(policiesOf(service, params))[params.key]
    await put(params, ({ [params.key]: _gone, ...others }) => others)
    return found === undefined ? value(reply, undefined) : reply.type('application/json').send(found)
  })
}

/** All policies of a namespace in one, as Pulsar shows them. */
export function shownPolicies(service: PulsarService, params: NamespaceRoute['Params']): object {
  const set = policiesOf(service, params)
  const { clusterName } = service.context.config
  const bounds = boundaries(set)
  const fields = ofNamespaces.map((policy) => {
    const told = policy.read(set)
    if (policy.byCluster) return [policy.field, told === undefined ? {} : { [clusterName]: told }]
    return [policy.field, told ?? policy.fallback]
  })
  return {
    auth_policies: {
      namespace_auth: set.permissions ?? {},
      destination_auth: set.topicPermissions ?? {},
      subscription_auth_roles: {},
    },
    replication_clusters: [clusterName],
    allowed_clusters: [],
    bundles: { boundaries: bounds, numBundles: bounds.length - 1 },
    ...Object.fromEntries(fields.filter(([, told]) => told !== undefined)),
    properties: set.kept?.properties ?? {},
    deleted: false,
  }
}

/** The policies that a new namespace is given. @throws AdminError for what cannot be set. */
export function givenPolicies(service: PulsarService, body: unknown): NamespacePolicies {
  const json = objectBody(body)
  if (json === undefined) return {}
  const { clusterName } = service.context.config
  const clusters = json.replication_clusters ?? []
  const stranger = textList(clusters, 'replication_clusters').find((cluster) => cluster !== clusterName)
  if (stranger !== undefined) throw new AdminError(403, `Invalid cluster id: ${stranger}`)
  let set: NamespacePolicies = {}
  for (const policy of ofNamespaces) {
    const told = json[policy.field]
    const given = policy.byCluster && isObject(told) ? told[clusterName] : told
    // Tools send a whole object of defaults: what they leave as it is was not set.
    if (given === undefined || given === null || policy === backlogQuotas) continue
    if (JSON.stringify(given) === JSON.stringify(policy.fallback)) continue
    set = policy.write(set, policy.check(given))
  }
  if (isObject(json.backlog_quota_map))
    for (const [type, quota] of Object.entries(json.backlog_quota_map))
      set = withQuota(set, quotaType(type), backlogQuota(quota))
  const bundles = bundleCount(json.bundles)
  const properties = textsOf(json.properties)
  const kept = { ...set.kept, ...(bundles === undefined ? {} : { [bundlesPolicy]: bundles }) }
  return { ...set, kept: Object.keys(properties).length === 0 ? kept : { ...kept, properties } }
}

function bundleCount(json: unknown): number | undefined {
  const count = isObject(json) ? json.numBundles : undefined
  if (count === undefined || count === 0) return undefined
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1 || count > BUNDLES_MAX)
    throw new AdminError(412, `The number of bundles is 1 to ${BUNDLES_MAX}`)
  return count
}
