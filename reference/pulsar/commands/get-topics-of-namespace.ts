import { crc32c } from '../../base/crc32c.js'
import { fail } from '../failure.js'
import { fullName, partitionName } from '../names.js'
import type { PulsarService } from '../service.js'
import type { Handler } from '../session.js'
import { TopicsMode } from '../wire/commands.js'

/**
 * GET_TOPICS_OF_NAMESPACE: each partition by its own name, as Pulsar does. Patterns are left to the client
 * (`filtered` = false). A client that has the same list already, by its hash, is told only that.
 */
export const getTopicsOfNamespace: Handler<'GET_TOPICS_OF_NAMESPACE'> = (session, body) => {
  const [tenant, namespace, ...rest] = body.namespace.split('/')
  const { catalog } = session.service.context
  if (
    tenant === undefined ||
    namespace === undefined ||
    rest.length > 0 ||
    !catalog.tenants.hasNamespace(tenant, namespace)
  )
    return session.sendError(body.requestId, fail('TopicNotFound', `Namespace not found: ${body.namespace}`))
  const topics = body.mode === TopicsMode.NonPersistent ? [] : topicNames(session.service, tenant, namespace)
  const topicsHash = crc32c(Buffer.from(topics.join(','))).toString(16)
  const changed = topicsHash !== body.topicsHash
  session.send('GET_TOPICS_OF_NAMESPACE_RESPONSE', {
    requestId: body.requestId,
    topics: changed ? topics : [],
    filtered: false,
    topicsHash,
    changed,
  })
}

/** Full names of a namespace's partitions and topics without partitions, in order; no system topics. */
export const topicNames = (service: PulsarService, tenant: string, namespace: string): string[] =>
  service.context.catalog
    .list(tenant, namespace)
    .filter(({ internal }) => !internal)
    .flatMap(({ name, partitions }) =>
      partitions === 0
        ? [fullName(name)]
        : Array.from({ length: partitions }, (_, index) => partitionName(name, index)),
    )
    .sort()
