import { hostAndPort } from '../base/host-port.js'
import { needs } from '../pulsar/admin/rights.js'
import { startAdmin } from '../pulsar/admin/server.js'
import type { PulsarContext } from '../pulsar/context.js'
import { startPulsarListener } from '../pulsar/listener.js'
import { serviceOf } from '../pulsar/service.js'
import type { TlsKeys } from '../security/tls.js'
import type { GroupSubscriptions } from '../topics/group-subscriptions.js'
import { topicCompaction } from '../topics/topic-compaction.js'
import { naming, stopGraceMs } from './opened.js'
import { type BrokerEndpoints, type Parts, same } from './parts.js'

/** Starts the binary protocol and the admin API, each plain and with TLS as configured. @returns where they are */
export async function servePulsar(
  parts: Parts,
): Promise<Omit<BrokerEndpoints, 'version' | 'kafka' | 'kafkaListeners'>> {
  const { config, replace, clock, log, metrics, security } = parts
  const context = {
    catalog: (replace.pulsarTopics ?? same)(parts.topics),
    clock,
    log: log.child({ part: 'pulsar' }),
    config,
    metadata: parts.storage.metadata,
    security,
    compaction: topicCompaction,
    groups: (replace.groupSubscriptions ?? same<GroupSubscriptions>)(parts.cursors),
    metrics: {
      connectionOpened: () => metrics.connection('pulsar', 1),
      connectionClosed: () => metrics.connection('pulsar', -1),
    },
  }
  parts.topics.onChange((change, topic) => {
    if (change !== 'deleted') return
    serviceOf(context)
      .forgetTopic(topic)
      .catch((err) => log.warn({ err, topic: topic.topicId }, 'schemas of a deleted topic remain'))
  })
  parts.topics.expireBy((...expired) => serviceOf(context).expire(...expired))
  const host = config.advertisedAddress ?? config.bindAddress
  const pulsar = await listenPulsar(parts, context, 'brokerServicePort', undefined)
  const admin = await listenAdmin(parts, context, 'webServicePort', undefined)
  const pulsarTls = await listenPulsar(parts, context, 'brokerServicePortTls', security.tls)
  const adminTls = await listenAdmin(parts, context, 'webServicePortTls', security.tls)
  return {
    pulsar: `pulsar://${hostAndPort(host, pulsar)}`,
    admin: `http://${hostAndPort(host, admin)}`,
    ...(pulsarTls === 0 ? {} : { pulsarTls: `pulsar+ssl://${hostAndPort(host, pulsarTls)}` }),
    ...(adminTls === 0 ? {} : { adminTls: `https://${hostAndPort(host, adminTls)}` }),
  }
}

/** @returns the port in use; 0 when the setting is absent. */
async function listenPulsar(
  { config, listeners }: Parts,
  context: PulsarContext,
  setting: 'brokerServicePort' | 'brokerServicePortTls',
  tls: TlsKeys | undefined,
): Promise<number> {
  const port = config[setting]
  if (port === undefined) return 0
  const listening = startPulsarListener(context, { host: config.bindAddress, port, tls })
  const pulsar = await naming(`${setting}=${port}`, listening)
  listeners.push(() => pulsar.close(stopGraceMs))
  return pulsar.port
}

/** @returns as `listenPulsar`. */
async function listenAdmin(
  { config, metrics, listeners }: Parts,
  context: PulsarContext,
  setting: 'webServicePort' | 'webServicePortTls',
  tls: TlsKeys | undefined,
): Promise<number> {
  const port = config[setting]
  if (port === undefined) return 0
  const right = needs(config.authenticateMetricsEndpoint ? 'login' : 'nothing')
  const listening = startAdmin(context, {
    host: config.bindAddress,
    port,
    tls,
    extend: (app) => {
      app.get('/metrics', right, async (_request, reply) =>
        reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
      )
    },
  })
  const admin = await naming(`${setting}=${port}`, listening)
  listeners.push(() => admin.close())
  return admin.port
}
