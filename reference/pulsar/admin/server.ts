import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { hostAndPort } from '../../base/host-port.js'
import { MalformedError } from '../../base/malformed.js'
import { type TlsKeys, tlsServerOptions } from '../../security/tls.js'
import type { PulsarContext } from '../context.js'
import { serviceOf } from '../service.js'
import { askForRights } from './authentication.js'
import { brokerStats } from './broker-stats.js'
import { brokers } from './brokers.js'
import { clusters } from './clusters.js'
import { cursors } from './cursors.js'
import { lookup } from './lookup.js'
import { maintenance } from './maintenance.js'
import { messages } from './messages.js'
import { namespacePolicies } from './namespace-policies.js'
import { namespaces } from './namespaces.js'
import { partitioned } from './partitioned.js'
import { permissions } from './permissions.js'
import { reading } from './reading.js'
import { demandNeeds, needs } from './rights.js'
import { schemas } from './schemas.js'
import { subscriptions } from './subscriptions.js'
import { tenants } from './tenants.js'
import { topicPolicies } from './topic-policies.js'
import { topics } from './topics.js'

export interface AdminOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** undefined: plain HTTP. */
  readonly tls?: TlsKeys | undefined
  /** Adds routes of the broker's own to the same port: metrics. Open to all, unless their config says otherwise. */
  readonly extend?: ((app: FastifyInstance) => void | Promise<void>) | undefined
}

const resources = [
  ...[brokers, clusters, tenants, namespaces, namespacePolicies, permissions],
  ...[topics, partitioned, topicPolicies, reading, messages, maintenance, subscriptions, cursors],
  ...[schemas, lookup, brokerStats],
]

/**
 * Pulsar's admin REST API, v2, as far as its tools need it for clusters, brokers, tenants, namespaces, persistent topics,
 * subscriptions and schemas. Errors are Pulsar's: a status, and `{"reason": …}`. Each route says which right it needs.
 * Left out: functions, packages, non-persistent topics, resource groups and quotas, bookies, transactions.
 */
export async function startAdmin(
  context: PulsarContext,
  options: AdminOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const service = serviceOf(context)
  const app = fastify({
    ...httpsOptions(options.tls),
    logger: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1_000, ignoreTrailingSlash: true },
    // What is refused before any route is found: paths that are not encoded rightly, or too long.
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      reply.status(error.statusCode ?? 400).send({ reason: error.message.slice(0, 200) })
    },
  })
  // Tools send empty bodies marked as JSON, bare numbers, and media types of Pulsar's own: parsed where they are used.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) => {
    const status = error instanceof MalformedError ? 400 : (error.statusCode ?? 500)
    if (status >= 500) context.log.error({ err: error, url: request.url }, 'an admin request failed')
    return reply.status(status).send({ reason: error.message })
  })
  app.setNotFoundHandler((request, reply) =>
    reply.status(404).send({ reason: `${request.method} ${request.url.split('?')[0]} is not offered` }),
  )
  const rights = demandNeeds(app)
  askForRights(app, context)
  for (const resource of resources) resource(app, service)
  app.get('/status.html', needs('nothing'), (_request, reply) => reply.type('text/plain').send('OK'))
  rights.fallback = 'nothing'
  await options.extend?.(app)
  await app.listen({ host: options.host, port: options.port })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  const host = context.config.advertisedAddress ?? options.host
  if (options.tls === undefined) service.httpUrl ??= `http://${hostAndPort(host, port)}`
  else service.httpUrlTls ??= `https://${hostAndPort(host, port)}`
  return { port, close: () => app.close() }
}

/** Typed as none: with `https` fastify has another type, of the same routes and answers. */
const httpsOptions = (tls: TlsKeys | undefined): object =>
  tls === undefined ? {} : { https: tlsServerOptions(tls) }
