import type { PartReplacements } from '../broker.js'
import { metadata } from '../kafka/messages/03-metadata.js'
import { offsetFetch } from '../kafka/messages/09-offset-fetch.js'
import { createTopics } from '../kafka/messages/19-create-topics.js'
import { describeCluster } from '../kafka/messages/60-describe-cluster.js'
import { errorCode } from '../kafka/wire/errors.js'
import type { ResponseOf } from '../kafka/wire/schema.js'
import { fullName } from '../topics/names.js'
import {
  isRefusal,
  type PartitionLog,
  refuse,
  type TopicCatalog,
  type TopicInfo,
  type TopicName,
} from '../topics/types.js'
import type { Mutant } from './mutant.js'
import { answered, answersOf, type Changes, changed, kafkaCatalog, pulsarCatalog } from './seams.js'

type TopicAnswer = ResponseOf<typeof metadata>['topics'][number]

const eachTopic = (change: (topic: TopicAnswer) => TopicAnswer) =>
  answered(metadata, (response) => ({ ...response, topics: response.topics.map(change) }))

const isFullName = (name: string | null) => name?.includes('/') ?? false
const inDefaultNamespace = (name: TopicName): TopicName => ({
  ...name,
  tenant: 'public',
  namespace: 'default',
})

/** Deleting only hides a topic, and creating it again shows it. */
function keepsDeleted(catalog: TopicCatalog): Changes<TopicCatalog> {
  const hidden = new Set<string>()
  return {
    find: (name) => (hidden.has(fullName(name)) ? undefined : catalog.find(name)),
    list: (tenant, namespace) =>
      catalog.list(tenant, namespace).filter(({ name }) => !hidden.has(fullName(name))),
    delete: async (name) => {
      hidden.add(fullName(name))
      return true
    },
    create: async (name, options) => {
      const kept = hidden.delete(fullName(name)) ? catalog.find(name) : undefined
      return kept ?? catalog.create(name, options)
    },
  }
}

/** A topic made anew has the id of the one before, though its data is gone. */
function keepsTopicId(catalog: TopicCatalog): Changes<TopicCatalog> {
  const firstIds = new Map<string, string>()
  const told = (topic: TopicInfo): TopicInfo => {
    const topicId = firstIds.get(fullName(topic.name)) ?? topic.topicId
    firstIds.set(fullName(topic.name), topicId)
    return { ...topic, topicId }
  }
  const real = (topic: TopicInfo) => catalog.find(topic.name) ?? topic
  return {
    find: (name) => {
      const topic = catalog.find(name)
      return topic && told(topic)
    },
    create: async (name, options) => {
      const topic = await catalog.create(name, options)
      return isRefusal(topic) ? topic : told(topic)
    },
    partition: (topic, index) => catalog.partition(real(topic), index),
  }
}

/** The number of partitions as it was when the topic was first asked for. */
function partitionsAsFirstSeen(catalog: TopicCatalog): Changes<TopicCatalog> {
  const first = new Map<string, number>()
  return {
    find: (name) => {
      const topic = catalog.find(name)
      if (topic === undefined) return undefined
      const partitions = first.get(topic.topicId) ?? topic.partitions
      first.set(topic.topicId, partitions)
      return { ...topic, partitions }
    },
  }
}

/** Topics that Kafka did not create have no leader for it. */
function onlyOwnTopicsOpen(catalog: TopicCatalog): Changes<TopicCatalog> {
  const own = new Set<string>()
  return {
    create: async (name, options) => {
      const topic = await catalog.create(name, options)
      if (!isRefusal(topic)) own.add(topic.topicId)
      return topic
    },
    partition: async (topic, index) =>
      own.has(topic.topicId)
        ? catalog.partition(topic, index)
        : refuse('NOT_LEADER_OR_FOLLOWER', 'nobody owns it'),
  }
}

/** Pulsar's partition n is Kafka's partition n + 1. */
const partitionsShifted = (catalog: TopicCatalog): Changes<TopicCatalog> => ({
  partition: async (topic, index) => {
    const own = await catalog.partition(topic, index)
    const other = await catalog.partition(
      topic,
      ((index + 1) % Math.max(1, topic.partitions)) as typeof index,
    )
    return isRefusal(own) || isRefusal(other) ? own : named(other, own)
  },
})

const named = (log: PartitionLog, { index, pulsarName }: PartitionLog) => changed(log, { index, pulsarName })

const elsewhere: PartReplacements = kafkaCatalog((catalog) => ({
  find: (name) => catalog.find(inDefaultNamespace(name)),
  create: (name, options) => catalog.create(inDefaultNamespace(name), options),
}))

/** Names, partitions and look-up (chapters MT and TL, and PR-8). */
export const topicMutants: readonly Mutant[] = [
  {
    name: 'namespace-setting-ignored',
    breaks: ['MT-1'],
    description: 'Short names land in public/default, whatever the settings say.',
    replace: elsewhere,
  },
  {
    name: 'full-names-unknown',
    breaks: ['MT-2'],
    description: 'Full names are offered, and not found.',
    replace: eachTopic((topic) =>
      isFullName(topic.name)
        ? { ...topic, errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION'), partitions: [] }
        : topic,
    ),
  },
  {
    name: 'full-name-forgets-commits',
    breaks: ['MT-3'],
    description: 'What a group committed by a topic’s short name is not found by its full name.',
    replace: answersOf(offsetFetch, ({ request, answer }) => {
      const other = <T extends { readonly name: string }>(topics: readonly T[] | null) =>
        topics?.map((topic) => (isFullName(topic.name) ? { ...topic, name: `${topic.name}-full` } : topic)) ??
        null
      return answer({
        ...request,
        topics: other(request.topics),
        groups: request.groups.map((group) => ({ ...group, topics: other(group.topics) })),
      })
    }),
  },
  {
    name: 'forbidden-name-accepted',
    breaks: ['MT-7'],
    description: 'Creating a topic of a forbidden name is answered as done.',
    replace: answered(createTopics, (response) => ({
      ...response,
      topics: response.topics.map((topic) =>
        topic.errorCode === errorCode('INVALID_TOPIC_EXCEPTION') ? { ...topic, errorCode: 0 } : topic,
      ),
    })),
  },
  {
    name: 'raised-partitions-unseen',
    breaks: ['MT-9'],
    description: 'Pulsar goes on with the number of partitions that it saw first.',
    replace: pulsarCatalog(partitionsAsFirstSeen),
  },
  {
    name: 'metadata-creates-topics',
    breaks: ['MT-10'],
    description: 'Metadata of an unknown topic creates it, though the client forbids it.',
    replace: answersOf(metadata, ({ request, answer }) =>
      answer({ ...request, allowAutoTopicCreation: true }),
    ),
  },
  {
    name: 'system-topic-unmarked',
    breaks: ['MT-11'],
    description: 'A system topic that is asked for by name is not marked internal.',
    replace: eachTopic((topic) => ({ ...topic, isInternal: false })),
  },
  {
    name: 'unpartitioned-topic-hidden',
    breaks: ['MT-12'],
    description: 'Pulsar topics without partitions do not exist for Kafka.',
    replace: kafkaCatalog((catalog) => ({
      find: (name) => {
        const topic = catalog.find(name)
        return topic?.partitions === 0 ? undefined : topic
      },
    })),
  },
  {
    name: 'leader-unheard-of',
    breaks: ['TL-1'],
    description: 'The leader of the last partition is none of the brokers.',
    replace: eachTopic((topic) => ({
      ...topic,
      partitions: topic.partitions.map((partition, at) =>
        at > 0 && at === topic.partitions.length - 1 ? { ...partition, leaderId: 4711 } : partition,
      ),
    })),
  },
  {
    name: 'pulsar-topic-without-leader',
    breaks: ['TL-2'],
    description: 'Partitions of a topic that Pulsar created get no owner by being asked for from Kafka.',
    replace: kafkaCatalog(onlyOwnTopicsOpen),
  },
  {
    name: 'wrong-address',
    breaks: ['TL-6'],
    description: 'DescribeCluster tells another port than the listener’s.',
    replace: answered(describeCluster, (response) => ({
      ...response,
      brokers: response.brokers.map((broker) => ({ ...broker, port: broker.port + 1 })),
    })),
  },
  {
    name: 'recreated-topic-keeps-data',
    breaks: ['TL-7'],
    description: 'A topic that is deleted and created again has its old records.',
    replace: kafkaCatalog(keepsDeleted),
  },
  {
    name: 'recreated-topic-keeps-id',
    breaks: ['TL-7'],
    description: 'A topic that is deleted and created again has its old topic id.',
    replace: kafkaCatalog(keepsTopicId),
  },
  {
    name: 'partition-number-shifted',
    breaks: ['PR-8'],
    description: 'Pulsar’s partition n holds the records of Kafka’s partition n + 1.',
    replace: pulsarCatalog(partitionsShifted),
  },
]
