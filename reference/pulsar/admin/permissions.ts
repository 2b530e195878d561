import type { FastifyInstance } from 'fastify'
import { type PermissionAction, type Permissions, permissionActions } from '../../topics/policies.js'
import { fullName } from '../names.js'
import type { PulsarService } from '../service.js'
import { done } from './answers.js'
import { AdminError, jsonBody } from './errors.js'
import { change, policiesOf } from './namespace-policies.js'
import { NAMESPACE_PATH, type NamespaceRoute } from './namespace-route.js'
import { parsed, TOPIC_PATH, type TopicRoute } from './resolve.js'
import { needs } from './rights.js'

type RoleRoute = { Params: { readonly role: string } }

/**
 * …/permissions of a namespace and of a topic: the authorization asks them. Granting replaces what a role had.
 * Left out: permissions to administer single subscriptions.
 */
export function permissions(app: FastifyInstance, service: PulsarService): void {
  ofNamespace(app, service)
  ofTopic(app, service)
}

function ofNamespace(app: FastifyInstance, service: PulsarService): void {
  const path = `${NAMESPACE_PATH}/permissions`
  app.get<NamespaceRoute>(
    path,
    needs('tenant-admin'),
    ({ params }) => policiesOf(service, params).permissions ?? {},
  )
  app.get<NamespaceRoute>(`${path}/subscription`, needs('tenant-admin'), ({ params }) => {
    policiesOf(service, params)
    return {}
  })
  app.post<NamespaceRoute & RoleRoute>(
    `${path}/:role`,
    needs('tenant-admin'),
    async ({ params, body }, reply) => {
      const actions = actionsOf(body)
      await change(service, params, (before) => ({
        ...before,
        permissions: { ...before.permissions, [params.role]: actions },
      }))
      return done(reply)
    },
  )
  app.delete<NamespaceRoute & RoleRoute>(
    `${path}/:role`,
    needs('tenant-admin'),
    async ({ params }, reply) => {
      await change(service, params, (before) => ({
        ...before,
        permissions: without(before.permissions, params.role),
      }))
      return done(reply)
    },
  )
}

function ofTopic(app: FastifyInstance, service: PulsarService): void {
  const path = `${TOPIC_PATH}/permissions`
  const { tenants } = service.context.catalog
  app.get<TopicRoute>(path, needs('tenant-admin'), ({ params }) => {
    const { base } = parsed(service, params)
    // A topic has its namespace's permissions, and its own.
    const all = new Map(Object.entries(tenants.permissions(params.tenant, params.namespace)))
    for (const [role, actions] of Object.entries(tenants.topicPermissions(base)))
      all.set(role, [...new Set([...(all.get(role) ?? []), ...actions])])
    return Object.fromEntries(all)
  })
  app.post<TopicRoute & RoleRoute>(
    `${path}/:role`,
    needs('tenant-admin'),
    async ({ params, body }, reply) => {
      const actions = actionsOf(body)
      await changeTopic(service, params, (before) => ({ ...before, [params.role]: actions }))
      return done(reply)
    },
  )
  app.delete<TopicRoute & RoleRoute>(`${path}/:role`, needs('tenant-admin'), async ({ params }, reply) => {
    await changeTopic(service, params, (before) => without(before, params.role))
    return done(reply)
  })
}

async function changeTopic(
  service: PulsarService,
  params: TopicRoute['Params'],
  how: (before: Permissions) => Permissions,
): Promise<void> {
  const topic = fullName(parsed(service, params).base)
  await change(service, params, (before) => {
    const { [topic]: granted, ...others } = before.topicPermissions ?? {}
    const now = how(granted ?? {})
    const isNone = Object.keys(now).length === 0
    return { ...before, topicPermissions: isNone ? others : { ...others, [topic]: now } }
  })
}

function without(granted: Permissions | undefined, role: string): Permissions {
  const { [role]: _gone, ...others } = granted ?? {}
  return others
}

/** @throws AdminError for what is no action: Pulsar would take it for none. */
function actionsOf(body: unknown): readonly PermissionAction[] {
  const json = jsonBody(body)
  if (!Array.isArray(json)) throw new AdminError(400, 'The body is not a list of actions')
  const actions = permissionActions.filter((action) => json.includes(action))
  const stranger = json.find((action) => !permissionActions.includes(action))
  if (stranger !== undefined) throw new AdminError(400, `${String(stranger)} is no action`)
  return actions
}
