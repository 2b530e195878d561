import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { hostAndPort } from '../../base/host-port.js'
import { MalformedError } from '../../base/malformed.js'
import type { PulsarContext } from '../context.js'
import { serviceOf } from '../service.js'
import { brokers } from './brokers.js'
import { clusters } from './clusters.js'
import { lookup } from './lookup.js'
import { namespaces } from './namespaces.js'
import { schemas } from './schemas.js'
import { subscriptions } from './subscriptions.js'
import { tenants } from './tenants.js'
import { topics } from './topics.js'

export interface AdminOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Adds routes of the broker's own to the same port: metrics, health. */
  readonly extend?: ((app: FastifyInstance) => void | Promise<void>) | undefined
}

/**
 * Pulsar's admin REST API, v2, as far as its tools need it for tenants, namespaces, persistent topics, subscriptions
 * and schemas. Errors are Pulsar's: a status, and `{"reason": …}`.
 * Left out: policies (retention, quotas, permissions), compaction, offload, functions, non-persistent topics.
 */
export async function startAdmin(
  context: PulsarContext,
  options: AdminOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const service = serviceOf(context)
  const app = fastify({
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
  for (const resource of [brokers, clusters, tenants, namespaces, topics, subscriptions, schemas, lookup])
    resource(app, service)
  await options.extend?.(app)
  await app.listen({ host: options.host, port: options.port })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  const host = context.config.advertisedAddress ?? options.host
  service.httpUrl ??= `http://${hostAndPort(host, port)}`
  return { port, close: () => app.close() }
}
