import { messages } from './kafka-messages.mjs'
import { kafka, Reader } from './library.mjs'

/**
 * For each API a request that changes nothing that matters, so that every listed version can be asked: reads of the
 * scenario's topic, writes of one record to it, and otherwise names that nobody has.
 */
const NOBODY = 'nobody-has-this-name'
const CONFIG_OF_TOPIC = 2

export const harmless = {
  ApiVersions: () => ({ clientSoftwareName: 'kop-conformance', clientSoftwareVersion: '1' }),
  Metadata: ({ topic }) => ({ topics: [{ name: topic }] }),
  Produce: ({ topic, topicId }, version) => {
    const magic = version < 2 ? 0 : version < 3 ? 1 : 2
    const records = { magic, records: [{ key: 'aw==', value: 'dg==' }] }
    return {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: topic, topicId, partitionData: [{ index: 0, records }] }],
    }
  },
  Fetch: ({ topic, topicId, fetchOffset }) => ({
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 100_000,
    sessionEpoch: -1,
    topics: [{ topic, topicId, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 100_000 }] }],
  }),
  ListOffsets: ({ topic }) => ({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: '-1', maxNumOffsets: 1 }] }],
    timeoutMs: 5000,
  }),
  OffsetForLeaderEpoch: ({ topic }) => ({
    topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  }),
  CreateTopics: () => ({
    topics: [{ name: NOBODY, numPartitions: 1, replicationFactor: 1 }],
    timeoutMs: 5000,
    validateOnly: true,
  }),
  DeleteTopics: () => ({ topics: [{ name: NOBODY }], topicNames: [NOBODY], timeoutMs: 5000 }),
  DeleteRecords: ({ topic }) => ({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: '0' }] }],
    timeoutMs: 5000,
  }),
  CreatePartitions: ({ topic }) => ({
    topics: [{ name: topic, count: 3 }],
    timeoutMs: 5000,
    validateOnly: true,
  }),
  DescribeConfigs: ({ topic }) => ({ resources: [{ resourceType: CONFIG_OF_TOPIC, resourceName: topic }] }),
  AlterConfigs: ({ topic }) => ({
    resources: [{ resourceType: CONFIG_OF_TOPIC, resourceName: topic, configs: [] }],
    validateOnly: true,
  }),
  IncrementalAlterConfigs: ({ topic }) => ({
    resources: [{ resourceType: CONFIG_OF_TOPIC, resourceName: topic, configs: [] }],
    validateOnly: true,
  }),
  DescribeCluster: () => ({ endpointType: 1 }),
  InitProducerId: () => ({ transactionTimeoutMs: 60_000 }),
  FindCoordinator: () => ({ key: NOBODY, keyType: 0, coordinatorKeys: [NOBODY] }),
  OffsetFetch: ({ topic }) => ({
    groupId: NOBODY,
    topics: [{ name: topic, partitionIndexes: [0] }],
    groups: [{ groupId: NOBODY, topics: [] }],
  }),
  OffsetCommit: ({ topic }) => ({
    groupId: NOBODY,
    generationIdOrMemberEpoch: 5,
    memberId: NOBODY,
    retentionTimeMs: '-1',
    topics: [
      { name: topic, partitions: [{ partitionIndex: 0, committedOffset: '0', commitTimestamp: '-1' }] },
    ],
  }),
  JoinGroup: () => ({
    groupId: NOBODY,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: NOBODY,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: '' }],
  }),
  SyncGroup: () => ({ groupId: NOBODY, generationId: 1, memberId: NOBODY }),
  Heartbeat: () => ({ groupId: NOBODY, generationId: 1, memberId: NOBODY }),
  LeaveGroup: () => ({ groupId: NOBODY, memberId: NOBODY, members: [{ memberId: NOBODY }] }),
  DescribeGroups: () => ({ groups: [NOBODY] }),
  ListGroups: () => ({}),
  DeleteGroups: () => ({ groupsNames: [NOBODY] }),
  ConsumerGroupHeartbeat: () => ({
    groupId: NOBODY,
    memberId: NOBODY,
    memberEpoch: 5,
    rebalanceTimeoutMs: -1,
  }),
  ConsumerGroupDescribe: () => ({ groupIds: [NOBODY] }),
}

/** Parsers of @platformatic/kafka 1.35 that cannot read what Apache Kafka 4.1 answers. */
const WRONG_PARSERS = new Set(['DescribeConfigs 2'])

/**
 * The same answer read by @platformatic/kafka's own parser of that version, where it has one: two independent readings.
 * @throws Error when it cannot read it; an error code within the answer is none of its business
 */
export function readAgain(api, version, frame) {
  const parser = kafka[`${api[0].toLowerCase()}${api.slice(1)}V${version}`]?.parseResponse
  if (parser === undefined || WRONG_PARSERS.has(`${api} ${version}`)) return
  const message = messages.get(api)
  const headerBytes = version >= message.flexibleFrom && api !== 'ApiVersions' ? 5 : 4
  try {
    parser(0, message.key, version, Reader.from(frame.subarray(headerBytes)))
  } catch (error) {
    if (!(error instanceof kafka.ResponseError)) throw error
  }
}
