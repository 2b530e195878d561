import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Authorizer, isDenied, type Right, type Role } from '../../security/types.js'
import type { TopicName } from '../../topics/types.js'
import type { PulsarContext } from '../context.js'
import { parseTopicName } from '../names.js'
import { AdminError } from './errors.js'
import type { Need } from './rights.js'

/** Has every route ask for its token (`Authorization: Bearer …`) and its right: 401 and 403. */
export function askForRights(app: FastifyInstance, { security }: PulsarContext): void {
  if (security?.isAuthenticated !== true) return
  const { tokens, authorizer } = security
  app.addHook('onRequest', async (request) => {
    const { needs } = request.routeOptions.config
    if (needs === undefined || needs === 'nothing') return
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? []
    if (token === undefined) throw new AdminError(401, 'Authentication required')
    const verified = await tokens.verify(token)
    if (isDenied(verified)) throw new AdminError(401, verified.denied)
    if (authorizer !== null && !isAllowed(authorizer, verified.role, needs, request))
      throw new AdminError(403, 'This operation is not permitted to the role of this token')
  })
}

const anyRight: readonly Right[] = ['produce', 'consume', 'functions']

function isAllowed(authorizer: Authorizer, role: Role, need: Need, { params }: FastifyRequest): boolean {
  const { tenant = '', namespace = '', topic = '' } = params as Readonly<Record<string, string | undefined>>
  if (need === 'nothing' || need === 'login') return true
  if (need === 'super') return authorizer.isSuperUser(role)
  if (need === 'tenant-admin') return authorizer.isTenantAdmin(role, tenant)
  if (need === 'namespace-any')
    return anyRight.some((right) => authorizer.mayInNamespace(role, { tenant, namespace }, right))
  const name = topicOf(tenant, namespace, topic)
  if (need === 'topic-produce') return authorizer.mayOnTopic(role, name, 'produce')
  if (need === 'topic-consume') return authorizer.mayOnTopic(role, name, 'consume')
  return authorizer.mayOnTopic(role, name, 'produce') || authorizer.mayOnTopic(role, name, 'consume')
}

/** The name as routes understand it: what is none there is nobody's here. */
const topicOf = (tenant: string, namespace: string, local: string): TopicName =>
  parseTopicName(`persistent://${tenant}/${namespace}/${local}`)?.literal ?? { tenant, namespace, local }
