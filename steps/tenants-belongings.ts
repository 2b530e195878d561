import { encodeSubscription } from './groups-protocol.js'
import type { Belongings } from './tenants-attempts.js'
import { asSuper, loginAs, type Tenant } from './tenants-users.js'
import { same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* The first tenant's topic and group, and all that can be seen of them before and after. */

const CONNECTION = 'owner'
const MEMBER_ID_REQUIRED = 79
const PARTITIONS = 2

type Answer = Record<string, unknown>

async function ask(world: ConformanceWorld, api: string, body: Answer, version?: number): Promise<Answer> {
  const raw = await world.raw()
  const asked = { connection: CONNECTION, existing: true, api, body }
  const answer = await raw.call('request', { ...asked, ...(version !== undefined && { version }) })
  return answer.body
}

/** A topic of 2 partitions with 3 records, and a group with a member and a commit. */
export async function makeBelongings(world: ConformanceWorld, owner: Tenant): Promise<Belongings> {
  same('the log-in of the owner', 'NONE', (await loginAs(world, CONNECTION, owner)).error)
  const topic = world.newName('-secret')
  const configs = [{ name: 'retention.ms', value: '86400000' }]
  const topics = [{ name: topic, numPartitions: PARTITIONS, replicationFactor: 1, configs }]
  const created = await ask(world, 'CreateTopics', { topics, timeoutMs: 10_000 })
  same('the error of the owner’s topic', [0], errorCodes(created.topics))
  const values = Array.from({ length: 3 }, () => world.random.bytes(16).toString('base64'))
  const records = { records: values.map((value) => ({ key: null, value })) }
  const partitionData = [{ index: 0, records }]
  await ask(world, 'Produce', { acks: -1, timeoutMs: 10_000, topicData: [{ name: topic, partitionData }] })
  const described = await ask(world, 'Metadata', { topics: [{ name: topic }] }, 12)
  const [{ topicId }] = described.topics as [{ topicId: string }]
  const group = world.newName('-workers')
  const { memberId, generation } = await joinAlone(world, group, topic)
  const committedMetadata = `note-${world.random.text(20)}`
  const partitions = [{ partitionIndex: 0, committedOffset: '2', committedMetadata }]
  await ask(world, 'OffsetCommit', {
    groupId: group,
    generationIdOrMemberEpoch: generation,
    memberId,
    topics: [{ name: topic, partitions }],
  })
  const { namespace } = owner
  return {
    topic,
    fullTopic: `${namespace}/${topic}`,
    topicId,
    group,
    memberId,
    generation,
    user: namespace,
    secrets: [...values, committedMetadata],
  }
}

const errorCodes = (answers: unknown): number[] =>
  (answers as { errorCode: number }[]).map(({ errorCode }) => errorCode)

async function joinAlone(world: ConformanceWorld, groupId: string, topic: string) {
  const body = {
    groupId,
    sessionTimeoutMs: 60_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: encodeSubscription([topic]) }],
  }
  let joined = await ask(world, 'JoinGroup', { ...body, memberId: '' })
  if (joined.errorCode === MEMBER_ID_REQUIRED)
    joined = await ask(world, 'JoinGroup', { ...body, memberId: joined.memberId })
  const { memberId, generationId } = joined as { memberId: string; generationId: number }
  const assignments = [{ memberId, assignment: '' }]
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  const synced = await ask(world, 'SyncGroup', { groupId, generationId, memberId, ...protocol, assignments })
  same('the error of the owner’s member', 0, synced.errorCode)
  return { memberId, generation: generationId }
}

/** All of the tenant that is seen from outside, to be compared. */
export async function viewOf(world: ConformanceWorld, owner: Tenant, of: Belongings): Promise<unknown> {
  const { topic, group, memberId, generation: generationId } = of
  const listed = await ask(world, 'Metadata', { topics: null, allowAutoTopicCreation: false })
  const partitions = [0, 1].map((partition) => ({
    partition,
    fetchOffset: '0',
    partitionMaxBytes: 1_000_000,
  }))
  const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1_000_000, sessionEpoch: -1 }
  const fetched = await ask(world, 'Fetch', { ...limits, topics: [{ topic, partitions }] })
  const resources = [{ resourceType: 2, resourceName: topic }]
  const described = await ask(world, 'DescribeGroups', { groups: [group] })
  const seenBySuper = async (path: string) => (await asSuper(world, 'GET', `/admin/v2/${path}`)).text
  return {
    topics: (listed.topics as { name: string; partitions: unknown[] }[]).map((each) => [
      each.name,
      each.partitions.length,
    ]),
    records: (fetched.responses as { partitions: Answer[] }[]).flatMap((each) =>
      each.partitions.map(({ partitionIndex, highWatermark, logStartOffset, records }) => ({
        partitionIndex,
        highWatermark,
        logStartOffset,
        records,
      })),
    ),
    configs: (await ask(world, 'DescribeConfigs', { resources })).results,
    groups: (await ask(world, 'ListGroups', {})).groups,
    described: described.groups,
    heartbeat: (await ask(world, 'Heartbeat', { groupId: group, generationId, memberId })).errorCode,
    committed: (await ask(world, 'OffsetFetch', { groupId: group, topics: null })).topics,
    tenant: await seenBySuper(`tenants/${owner.name}`),
    namespaces: await seenBySuper(`namespaces/${owner.name}`),
    policies: await seenBySuper(`namespaces/${owner.namespace}`),
    pulsarTopics: await seenBySuper(`persistent/${owner.namespace}`),
  }
}
