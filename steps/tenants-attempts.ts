import { errorName } from './requests.js'
import { scramUpsertion } from './tenants-users.js'
import { Mismatch } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* What a client can try on another tenant's topics and groups: one attempt an API, told by the names of its errors. */

/** What belongs to the tenant that is not to be touched. */
export interface Belongings {
  /** Short name, and Kafka's full name. */
  readonly topic: string
  readonly fullTopic: string
  readonly topicId: string
  readonly group: string
  readonly memberId: string
  readonly generation: number
  readonly user: string
  /** Texts that no answer to anybody else may hold: values, metadata of commits, ids of members. */
  readonly secrets: readonly string[]
}

/** One connection of a client that is logged in, and from where it works. */
export interface Attacker {
  readonly world: ConformanceWorld
  readonly connection: string
  readonly belongings: Belongings
}

type Body = Record<string, unknown>
type Attempt<On> = (attacker: Attacker, on: On) => Promise<readonly string[]>

/** Sends one request. What must not be told is looked for in the answer, wherever it stands there. */
async function send(attacker: Attacker, api: string, body: Body, version?: number): Promise<Body> {
  const { world, connection, belongings } = attacker
  const raw = await world.raw()
  const answer = await raw.call('request', {
    connection,
    existing: true,
    api,
    body,
    ...(version !== undefined && { version }),
  })
  const text = JSON.stringify(answer.body)
  const told = belongings.secrets.find((secret) => text.includes(secret))
  if (told !== undefined) throw new Mismatch(`the answer to ${api}`, `nothing of ${told}`, answer.body)
  return answer.body
}

/** Every error code of an answer, by its name; those of the topics or groups in it where it has any. */
async function errorsOf(world: ConformanceWorld, body: unknown): Promise<string[]> {
  const codes = [...new Set(codesOf(body))]
  return Promise.all(codes.map((code) => errorName(world, code)))
}

function codesOf(body: unknown): number[] {
  if (Array.isArray(body)) return body.flatMap(codesOf)
  if (typeof body !== 'object' || body === null) return []
  const { errorCode, ...others } = body as { errorCode?: number }
  const inner = Object.values(others).flatMap(codesOf)
  // An error of the whole says it all; none says nothing yet of the parts.
  if (errorCode !== undefined && errorCode !== 0) return [errorCode]
  return inner.length > 0 || errorCode === undefined ? inner : [errorCode]
}

async function errorsOfRequest(attacker: Attacker, api: string, body: Body, version?: number) {
  return errorsOf(attacker.world, await send(attacker, api, body, version))
}

const TOPIC = 2
const BROKER = 4
const TIMEOUT_MS = 5000
const configsOf = (resourceName: string) => [
  {
    resourceType: TOPIC,
    resourceName,
    configs: [{ name: 'retention.ms', value: '12345', configOperation: 0 }],
  },
]
const batch = { records: [{ key: null, value: Buffer.from('not yours').toString('base64') }] }
const fetchLimits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1_000_000, sessionEpoch: -1 }
const fetched = [{ partition: 0, fetchOffset: '0', partitionMaxBytes: 1_000_000 }]

/** By the topic's name. */
export const onTopics: Readonly<Record<string, Attempt<string>>> = {
  Produce: (attacker, name) => {
    const topicData = [{ name, partitionData: [{ index: 0, records: batch }] }]
    return errorsOfRequest(attacker, 'Produce', { acks: -1, timeoutMs: TIMEOUT_MS, topicData })
  },
  Fetch: (attacker, topic) =>
    errorsOfRequest(attacker, 'Fetch', { ...fetchLimits, topics: [{ topic, partitions: fetched }] }),
  ListOffsets: (attacker, name) => {
    const partitions = [{ partitionIndex: 0, timestamp: '-1' }]
    return errorsOfRequest(attacker, 'ListOffsets', { topics: [{ name, partitions }], timeoutMs: TIMEOUT_MS })
  },
  Metadata: (attacker, name) =>
    errorsOfRequest(attacker, 'Metadata', { topics: [{ name }], allowAutoTopicCreation: true }),
  DescribeTopicPartitions: (attacker, name) => {
    const body = { topics: [{ name }], responsePartitionLimit: 100 }
    return errorsOfRequest(attacker, 'DescribeTopicPartitions', body)
  },
  OffsetForLeaderEpoch: (attacker, topic) => {
    const partitions = [{ partition: 0, leaderEpoch: 0 }]
    return errorsOfRequest(attacker, 'OffsetForLeaderEpoch', { topics: [{ topic, partitions }] })
  },
  OffsetCommit: (attacker, name) => {
    const partitions = [{ partitionIndex: 0, committedOffset: '0' }]
    return errorsOfRequest(attacker, 'OffsetCommit', { groupId: OWN_GROUP, topics: [{ name, partitions }] })
  },
  OffsetFetch: async (attacker, name) => {
    const asked = [{ name, partitionIndexes: [0] }]
    const body = await send(attacker, 'OffsetFetch', { groupId: attacker.belongings.group, topics: asked })
    const { topics } = body as unknown as { topics: { partitions: { committedOffset: string }[] }[] }
    const told = topics.flatMap(({ partitions }) => partitions.map((each) => each.committedOffset))
    if (told.some((offset) => offset !== '-1')) throw new Mismatch('offsets of another tenant', 'none', told)
    return errorsOf(attacker.world, body)
  },
  OffsetDelete: (attacker, name) => {
    const topics = [{ name, partitions: [{ partitionIndex: 0 }] }]
    return errorsOfRequest(attacker, 'OffsetDelete', { groupId: OWN_GROUP, topics })
  },
  CreateTopics: (attacker, name) => {
    const topics = [{ name, numPartitions: 1, replicationFactor: 1 }]
    return errorsOfRequest(attacker, 'CreateTopics', { topics, timeoutMs: TIMEOUT_MS })
  },
  DeleteTopics: (attacker, name) => {
    const body = { topicNames: [name], topics: [{ name }], timeoutMs: TIMEOUT_MS }
    return errorsOfRequest(attacker, 'DeleteTopics', body)
  },
  DeleteRecords: (attacker, name) => {
    const topics = [{ name, partitions: [{ partitionIndex: 0, offset: '-1' }] }]
    return errorsOfRequest(attacker, 'DeleteRecords', { topics, timeoutMs: TIMEOUT_MS })
  },
  CreatePartitions: (attacker, name) => {
    const body = { topics: [{ name, count: 9 }], timeoutMs: TIMEOUT_MS }
    return errorsOfRequest(attacker, 'CreatePartitions', body)
  },
  DescribeConfigs: (attacker, resourceName) =>
    errorsOfRequest(attacker, 'DescribeConfigs', { resources: [{ resourceType: TOPIC, resourceName }] }),
  AlterConfigs: (attacker, name) => errorsOfRequest(attacker, 'AlterConfigs', { resources: configsOf(name) }),
  IncrementalAlterConfigs: (attacker, name) =>
    errorsOfRequest(attacker, 'IncrementalAlterConfigs', { resources: configsOf(name) }),
}

/** A group of the attacker's own, which has committed something before: see `prepareOwnGroup`. */
const OWN_GROUP = 'own-group'
const OWN_TOPIC = 'own-topic'

/** So that what is refused is refused for the topic's sake, and not because the attacker has no group. */
export async function prepareOwnGroup(attacker: Attacker): Promise<void> {
  const topics = [{ name: OWN_TOPIC, numPartitions: 1, replicationFactor: 1 }]
  await send(attacker, 'CreateTopics', { topics, timeoutMs: TIMEOUT_MS })
  const partitions = [{ partitionIndex: 0, committedOffset: '0' }]
  const body = { groupId: OWN_GROUP, topics: [{ name: OWN_TOPIC, partitions }] }
  const errors = await errorsOfRequest(attacker, 'OffsetCommit', body)
  if (errors.join() !== 'NONE') throw new Mismatch('the attacker’s own commit', 'NONE', errors)
}

/** By the topic's id, in a version that has ids. */
export const byTopicIds: Readonly<Record<string, Attempt<string>>> = {
  Metadata: (attacker, topicId) =>
    errorsOfRequest(attacker, 'Metadata', { topics: [{ topicId, name: null }] }, 12),
  Fetch: (attacker, topicId) =>
    errorsOfRequest(attacker, 'Fetch', { ...fetchLimits, topics: [{ topicId, partitions: fetched }] }, 13),
  DeleteTopics: (attacker, topicId) =>
    errorsOfRequest(
      attacker,
      'DeleteTopics',
      { topics: [{ name: null, topicId }], timeoutMs: TIMEOUT_MS },
      6,
    ),
}

/** By the group's id, and as its member, whose id and generation the attacker is taken to have learnt. */
export const onGroups: Readonly<Record<string, Attempt<string>>> = {
  FindCoordinator: (attacker, key) =>
    errorsOfRequest(attacker, 'FindCoordinator', { key, keyType: 0, coordinatorKeys: [key] }),
  JoinGroup: (attacker, groupId) =>
    errorsOfRequest(attacker, 'JoinGroup', {
      groupId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 1000,
      memberId: attacker.belongings.memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: '' }],
    }),
  SyncGroup: (attacker, groupId) => errorsOfRequest(attacker, 'SyncGroup', asMember(attacker, groupId)),
  Heartbeat: (attacker, groupId) => errorsOfRequest(attacker, 'Heartbeat', asMember(attacker, groupId)),
  LeaveGroup: (attacker, groupId) => {
    const { memberId } = attacker.belongings
    return errorsOfRequest(attacker, 'LeaveGroup', { groupId, memberId, members: [{ memberId }] })
  },
  ConsumerGroupHeartbeat: (attacker, groupId) => {
    const { memberId, generation: memberEpoch, topic } = attacker.belongings
    const topics = { subscribedTopicNames: [topic], topicPartitions: [], rebalanceTimeoutMs: 10_000 }
    return errorsOfRequest(attacker, 'ConsumerGroupHeartbeat', { groupId, memberId, memberEpoch, ...topics })
  },
  ConsumerGroupDescribe: (attacker, groupId) =>
    errorsOfRequest(attacker, 'ConsumerGroupDescribe', { groupIds: [groupId] }),
  DescribeGroups: async (attacker, groupId) => {
    const body = await send(attacker, 'DescribeGroups', { groups: [groupId] })
    const { groups } = body as unknown as { groups: { groupState: string; members: unknown[] }[] }
    const alive = groups.find(({ groupState, members }) => groupState !== 'Dead' && members.length > 0)
    if (alive !== undefined) throw new Mismatch('a group of another tenant', 'not described', alive)
    return errorsOf(attacker.world, body)
  },
  ListGroups: async (attacker, groupId) => {
    const body = await send(attacker, 'ListGroups', {})
    const { groups } = body as unknown as { groups: { groupId: string }[] }
    const listed = groups.find((group) => group.groupId === groupId)
    if (listed !== undefined) throw new Mismatch('a group of another tenant', 'not listed', listed)
    return errorsOf(attacker.world, body)
  },
  DeleteGroups: (attacker, groupId) => errorsOfRequest(attacker, 'DeleteGroups', { groupsNames: [groupId] }),
  OffsetCommit: (attacker, groupId) => {
    const { generation, memberId } = attacker.belongings
    const partitions = [{ partitionIndex: 0, committedOffset: '0' }]
    const topics = [{ name: OWN_TOPIC, partitions }]
    const body = { groupId, generationIdOrMemberEpoch: generation, memberId, topics }
    return errorsOfRequest(attacker, 'OffsetCommit', body)
  },
  OffsetFetch: async (attacker, groupId) => {
    const body = await send(attacker, 'OffsetFetch', { groupId, topics: null })
    const { topics } = body as unknown as { topics: unknown[] | null }
    if ((topics ?? []).length > 0) throw new Mismatch('offsets of another tenant', 'none', topics)
    return errorsOf(attacker.world, body)
  },
  OffsetDelete: (attacker, groupId) => {
    const { topic: name } = attacker.belongings
    const topics = [{ name, partitions: [{ partitionIndex: 0 }] }]
    return errorsOfRequest(attacker, 'OffsetDelete', { groupId, topics })
  },
}

function asMember({ belongings }: Attacker, groupId: string) {
  const { generation: generationId, memberId } = belongings
  return { groupId, generationId, memberId, protocolType: 'consumer', protocolName: 'range' }
}

/** What is nobody's but a super user's: passwords, quotas, and the configuration of brokers. */
export const onCluster: Readonly<Record<string, Attempt<null>>> = {
  DescribeUserScramCredentials: async (attacker) => {
    const body = await send(attacker, 'DescribeUserScramCredentials', { users: null })
    const { results } = body as unknown as { results: unknown[] }
    if (results.length > 0) throw new Mismatch('users that are told', 'none', results)
    return errorsOf(attacker.world, body)
  },
  AlterUserScramCredentials: (attacker) => {
    const upsertions = [scramUpsertion(attacker.belongings.user, 'SCRAM-SHA-256', 'mine')]
    return errorsOfRequest(attacker, 'AlterUserScramCredentials', { deletions: [], upsertions })
  },
  DescribeClientQuotas: (attacker) =>
    errorsOfRequest(attacker, 'DescribeClientQuotas', { components: [], strict: false }),
  DescribeConfigs: (attacker) => {
    const resources = [{ resourceType: BROKER, resourceName: '0' }]
    return errorsOfRequest(attacker, 'DescribeConfigs', { resources })
  },
  IncrementalAlterConfigs: (attacker) => {
    const resources = [{ resourceType: BROKER, resourceName: '0', configs: [] }]
    return errorsOfRequest(attacker, 'IncrementalAlterConfigs', { resources })
  },
}

/** Requests that name nothing of anybody: whatever they answer, it must hold nothing of another tenant. */
export const onNothing: Readonly<Record<string, Attempt<null>>> = {
  ApiVersions: (attacker) =>
    errorsOfRequest(attacker, 'ApiVersions', { clientSoftwareName: 'x', clientSoftwareVersion: '1' }),
  DescribeCluster: (attacker) => errorsOfRequest(attacker, 'DescribeCluster', { endpointType: 1 }),
  InitProducerId: (attacker) =>
    errorsOfRequest(attacker, 'InitProducerId', { transactionalId: null, transactionTimeoutMs: 60_000 }),
}

/** Shown by scenarios of logging in. */
export const loggingIn: ReadonlySet<string> = new Set(['SaslHandshake', 'SaslAuthenticate'])

/** Everything that is listed to an attacker, as text: of topics by Metadata, of their groups and offsets. */
export async function everythingListed(attacker: Attacker): Promise<string> {
  const topics = await send(attacker, 'Metadata', { topics: null, allowAutoTopicCreation: false })
  const groups = await send(attacker, 'ListGroups', {})
  const described = await send(attacker, 'DescribeGroups', { groups: [OWN_GROUP] })
  const offsets = await send(attacker, 'OffsetFetch', { groupId: OWN_GROUP, topics: null })
  return JSON.stringify({ topics, groups, described, offsets })
}
