import { hostAndPort } from '../base/host-port.js'
import { type Config, isSaslProtocol, isTlsProtocol, type ListenerAddress, protocolOf } from '../config.js'
import { dispatcher, findApi, kafkaContext, refuseApiVersions } from '../kafka/apis/index.js'
import { StoredProducerIds } from '../kafka/apis/producer-ids.js'
import { type KafkaListener, startKafkaListener } from '../kafka/server.js'
import { kafkaNames } from '../topics/index.js'
import { naming, stopGraceMs } from './opened.js'
import { type BrokerEndpoints, type Parts, same } from './parts.js'

/** Starts all Kafka listeners. @returns where they are */
export async function serveKafka(parts: Parts): Promise<Pick<BrokerEndpoints, 'kafka' | 'kafkaListeners'>> {
  const { config, replace, clock, log, metrics, listeners, security } = parts
  const running: KafkaListener[] = []
  const context = kafkaContext({
    clusterId: config.clusterName,
    nodeId: config.brokerId,
    brokers: (listener) => [{ nodeId: config.brokerId, ...advertised(config, running, listener) }],
    kafkaTenant: config.kafkaTenant,
    kafkaNamespace: config.kafkaNamespace,
    defaultNumPartitions: config.defaultNumPartitions,
    allowAutoTopicCreation: config.allowAutoTopicCreation,
    messageBytesMax: config.maxMessageSize,
    names: kafkaNames(config),
    catalog: (replace.kafkaTopics ?? same)(parts.topics),
    coordinator: (replace.kafkaGroups ?? same)(parts.groups.coordinator),
    offsetsTopic: parts.offsets,
    offsetMetadataBytesMax: config.offsetMetadataMaxSize,
    producerIds: new StoredProducerIds(parts.storage.metadata),
    authorizer: security.authorizer,
    users: security.users,
    clock,
    log: log.child({ part: 'kafka' }),
  })
  const dispatch = (replace.kafkaDispatch ?? same)(dispatcher(context))
  for (const address of config.kafkaListeners) {
    const protocol = protocolOf(config, address.name)
    const listening = startKafkaListener({
      listener: address.name,
      host: address.host,
      port: address.port,
      tls: isTlsProtocol(protocol) ? security.tls : undefined,
      sasl: isSaslProtocol(protocol) ? { ...security, clock } : undefined,
      clock,
      log: context.log,
      frameBytesMax: config.maxFrameSize,
      idleMs: config.connectionMaxIdleMs,
      find: findApi,
      apiVersionsRefusal: refuseApiVersions,
      dispatch,
      onConnection: (change) => metrics.connection('kafka', change),
      onRequest: ({ apiName, requestBytes, durationMs }) =>
        metrics.request('kafka', apiName, requestBytes, durationMs),
    })
    const listener = await naming(
      `kafkaListeners=${address.name}://${address.host}:${address.port}`,
      listening,
    )
    running.push(listener)
    listeners.push(() => listener.stop(stopGraceMs))
  }
  const first = running[0]
  if (first === undefined) throw new Error('kafkaListeners names no listener')
  const addresses = running.map(({ name, host, port }) => [name, hostAndPort(host, port)])
  return {
    kafka: hostAndPort(first.host, first.port),
    ...(running.length > 1 ? { kafkaListeners: Object.fromEntries(addresses) } : {}),
  }
}

/** What clients of a listener are told (register TL-6): its advertised address, or else the bound one. */
function advertised(
  config: Config,
  running: readonly KafkaListener[],
  listener: string,
): Omit<ListenerAddress, 'name'> {
  const told = config.kafkaAdvertisedListeners.find(({ name }) => name === listener)
  const bound = running.find(({ name }) => name === listener)
  const address = told ?? bound
  if (address === undefined) throw new Error(`no listener is called ${listener}`)
  return { host: address.host, port: address.port }
}
