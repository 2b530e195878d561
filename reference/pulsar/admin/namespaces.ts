import type { FastifyInstance } from 'fastify'
import { topicNames } from '../commands/get-topics-of-namespace.js'
import { isEntityName } from '../names.js'
import type { PulsarService } from '../service.js'
import type { PulsarTopic } from '../topic.js'
import { done } from './answers.js'
import { boundaries, boundaryNames, bundleOf } from './bundles.js'
import { AdminError, accepted } from './errors.js'
import { givenPolicies, policiesOf, shownPolicies } from './namespace-policies.js'
import { mustExist, NAMESPACE_PATH, type NamespaceRoute } from './namespace-route.js'
import { needs } from './rights.js'
import { allSubscriptions } from './stats.js'
import { unloadPartition } from './topics.js'

type BundleRoute = NamespaceRoute & { Params: { readonly bundle: string; readonly subscription: string } }

/** /admin/v2/namespaces: their making and going, their topics, and what is done to all of these at once. */
export function namespaces(app: FastifyInstance, service: PulsarService): void {
  const { catalog } = service.context
  const one = NAMESPACE_PATH

  app.get<NamespaceRoute>('/admin/v2/namespaces/:tenant', needs('tenant-admin'), ({ params: { tenant } }) => {
    if (catalog.tenants.tenant(tenant) === undefined) throw new AdminError(404, 'Tenant not found')
    return catalog.tenants.listNamespaces(tenant).map((namespace) => `${tenant}/${namespace}`)
  })

  app.get<NamespaceRoute>(one, needs('tenant-admin'), ({ params }) => shownPolicies(service, params))

  app.get<NamespaceRoute>(`${one}/bundles`, needs('namespace-any'), ({ params }) => {
    const bounds = boundaries(policiesOf(service, params))
    return { boundaries: bounds, numBundles: bounds.length - 1 }
  })

  app.get<NamespaceRoute>(`${one}/topics`, needs('namespace-any'), ({ params, query }) => {
    mustExist(service, params)
    return query.mode === 'NON_PERSISTENT' ? [] : topicNames(service, params.tenant, params.namespace)
  })

  app.put<NamespaceRoute>(
    one,
    needs('tenant-admin'),
    async ({ params: { tenant, namespace }, body }, reply) => {
      if (!isEntityName(namespace)) throw new AdminError(412, 'Namespace name is not valid')
      if (catalog.tenants.tenant(tenant) === undefined) throw new AdminError(404, 'Tenant does not exist')
      const policies = givenPolicies(service, body)
      if (!(await catalog.tenants.createNamespace(tenant, namespace, policies)))
        throw new AdminError(409, 'Namespace already exists')
      return done(reply)
    },
  )

  app.delete<NamespaceRoute>(one, needs('tenant-admin'), async ({ params, query }, reply) => {
    const { tenant, namespace } = params
    await deleteNamespace(service, tenant, namespace, query.force === 'true')
    return done(reply)
  })

  onBundles(app, service)
}

export async function deleteNamespace(
  service: PulsarService,
  tenant: string,
  namespace: string,
  force: boolean,
): Promise<void> {
  const { catalog } = service.context
  if (!catalog.tenants.hasNamespace(tenant, namespace))
    throw new AdminError(404, `Namespace ${tenant}/${namespace} does not exist.`)
  const topics = catalog.list(tenant, namespace)
  if (topics.length > 0 && !force) throw new AdminError(409, 'Cannot delete non empty namespace')
  // Before anything goes: what is left of the namespace would be without the rest.
  if (topics.some(({ internal }) => internal))
    throw new AdminError(412, `${tenant}/${namespace} has topics of the broker's own, and stays`)
  for (const info of topics) {
    accepted(await catalog.delete(info.name))
    await service.schemas.delete(info)
  }
  if (!(await catalog.tenants.deleteNamespace(tenant, namespace)))
    throw new AdminError(409, 'Cannot delete non empty namespace')
}

/** What is done to a namespace's topics together, or to those of one bundle. */
function onBundles(app: FastifyInstance, service: PulsarService): void {
  const one = NAMESPACE_PATH
  const each = async (params: BundleRoute['Params'], what: (topic: PulsarTopic) => Promise<void>) => {
    for (const topic of await openedOf(service, params)) await what(topic)
  }
  for (const path of [`${one}/unload`, `${one}/:bundle/unload`])
    app.put<BundleRoute>(path, needs('super'), async ({ params }, reply) => {
      await each(params, unloadPartition)
      return done(reply)
    })

  app.put<BundleRoute>(`${one}/:bundle/split`, needs('super'), ({ params }) => {
    mustExist(service, params)
    throw new AdminError(412, 'One broker has all bundles: they are not split')
  })

  for (const path of [`${one}/clearBacklog`, `${one}/:bundle/clearBacklog`])
    for (const suffix of ['', '/:subscription'])
      app.post<BundleRoute>(path + suffix, needs('tenant-admin'), async ({ params }, reply) => {
        await each(params, async (topic) => {
          for (const subscription of await allSubscriptions(topic))
            if (params.subscription === undefined || subscription.name === params.subscription)
              await topic.seek(subscription, topic.log.ledger.end)
        })
        return done(reply)
      })

  for (const path of [`${one}/unsubscribe/:subscription`, `${one}/:bundle/unsubscribe/:subscription`])
    app.post<BundleRoute>(path, needs('tenant-admin'), async ({ params }, reply) => {
      await each(params, async (topic) => {
        const found = (await allSubscriptions(topic)).find(({ name }) => name === params.subscription)
        if (found === undefined) return
        if (topic.isInUse(found)) throw new AdminError(412, 'Subscription has active connected consumers')
        await topic.deleteSubscription(found.name)
      })
      return done(reply)
    })
}

async function openedOf(
  service: PulsarService,
  params: BundleRoute['Params'],
): Promise<readonly PulsarTopic[]> {
  const policies = policiesOf(service, params)
  const { bundle } = params
  if (bundle !== undefined && !boundaryNames(policies).includes(bundle))
    throw new AdminError(412, `${bundle} is no bundle of the namespace`)
  const opened: PulsarTopic[] = []
  for (const info of service.context.catalog.list(params.tenant, params.namespace))
    for (const topic of await service.openAll(info))
      if (bundle === undefined || bundleOf(policies, topic.log.pulsarName) === bundle) opened.push(topic)
  return opened
}
