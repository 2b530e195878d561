import { isRefusal } from '../../topics/types.js'
import { describeConfigs as table } from '../messages/32-describe-configs.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf, ResponseOf } from '../wire/schema.js'
import { brokersAreSuperUsers, type Resource, resourceType } from './config-resources.js'
import { type Call, handler } from './handler.js'
import { configSource, configType, effectiveConfigs, topicConfigs } from './topic-configs.js'
import { findTopic } from './topics.js'

type Request = RequestOf<typeof table>
type Asked = Request['resources'][number]
type Answer = ResponseOf<typeof table>['results'][number]
type Shown = Answer['configs'][number]

/**
 * DescribeConfigs v0 to v4, of topics and of this broker. A topic's value is its own or the default; synonyms name the
 * broker config that would count. Broker configs are read-only: they come from its file. Broker loggers are left out.
 */
export const describeConfigs = handler(table, async (request, call) => ({
  throttleTimeMs: 0,
  results: request.resources.map((asked) => describe(asked, request, call)),
}))

function describe(asked: Asked, request: Request, call: Call): Answer {
  const configs = configsOf(asked, call)
  if (!Array.isArray(configs)) return refused(asked, configs.error, configs.message)
  const keys = asked.configurationKeys
  const wanted = configs.filter((config) => keys === null || keys.length === 0 || keys.includes(config.name))
  return {
    errorCode: 0,
    errorMessage: null,
    resourceType: asked.resourceType,
    resourceName: asked.resourceName,
    configs: wanted.map((config) => ({
      ...config,
      synonyms: request.includeSynonyms ? (config.synonyms ?? []) : [],
      documentation: request.includeDocumentation ? (config.documentation ?? null) : null,
    })),
  }
}

function configsOf(asked: Resource, call: Call): Shown[] | { error: ErrorName; message: string } {
  if (asked.resourceType === resourceType.broker) {
    if (!call.access.isSuperUser()) return brokersAreSuperUsers
    return brokerConfigsOf(asked.resourceName, call)
  }
  if (asked.resourceType !== resourceType.topic)
    return { error: 'INVALID_REQUEST', message: `resource type ${asked.resourceType} has no configs here` }
  const topic = findTopic(call, asked.resourceName)
  if (isRefusal(topic)) return { error: topic.refused, message: topic.message }
  return effectiveConfigs(topic.configs, call.broker).map(({ config, value, source }) => {
    const { name, type, fallback, synonym, help } = config
    const own = source === configSource.topic ? [{ name, value, source }] : []
    const brokers =
      synonym === undefined ? [] : [{ name: synonym, value: fallback, source: configSource.default }]
    return {
      ...shown(name, value, type, source, help),
      readOnly: false,
      isDefault: source !== configSource.topic,
      synonyms: [...own, ...brokers],
    }
  })
}

/** The name of a broker is its id; empty means the defaults of all brokers, of which there are none set. */
function brokerConfigsOf(name: string, call: Call): Shown[] | { error: ErrorName; message: string } {
  const { broker } = call
  if (name === '') return []
  if (name !== String(broker.nodeId))
    return { error: 'INVALID_REQUEST', message: `this is broker ${broker.nodeId}; ask broker ${name} itself` }
  const own = [
    brokerConfig('broker.id', String(broker.nodeId), 'int', 'The node id in metadata.'),
    brokerConfig('num.partitions', String(broker.defaultNumPartitions), 'int', 'Partitions of new topics.'),
    brokerConfig(
      'auto.create.topics.enable',
      String(broker.allowAutoTopicCreation),
      'boolean',
      'Whether unknown topics are created when they are asked for.',
    ),
    brokerConfig('default.replication.factor', '1', 'int', 'Replication is the store’s.'),
  ]
  const ofTopics = topicConfigs(broker).flatMap(({ synonym, fallback, type, help }) =>
    synonym === undefined ? [] : [brokerConfig(synonym, fallback, type, help)],
  )
  return [...own, ...ofTopics]
}

const brokerConfig = (name: string, value: string, type: keyof typeof configType, help: string): Shown => ({
  ...shown(name, value, type, configSource.staticBroker, help),
  readOnly: true,
  isDefault: false,
  synonyms: [{ name, value, source: configSource.staticBroker }],
})

const shown = (
  name: string,
  value: string,
  type: keyof typeof configType,
  source: number,
  documentation: string,
) => ({
  name,
  value,
  configSource: source,
  configType: configType[type],
  isSensitive: false,
  documentation,
})

const refused = (asked: Resource, error: ErrorName, errorMessage: string): Answer => ({
  errorCode: errorCode(error),
  errorMessage,
  resourceType: asked.resourceType,
  resourceName: asked.resourceName,
  configs: [],
})
