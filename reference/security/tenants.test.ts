import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testBatch } from '../entry-format/test-kit.js'
import { findApi } from '../kafka/apis/index.js'
import { zeroTopicId } from '../kafka/apis/topics.js'
import * as messages from '../kafka/messages/index.js'
import { errorName } from '../kafka/wire/errors.js'
import { BrokerProcess, type KafkaClient } from '../testing.js'
import { loginPlain, type Secured, startSecured, superRole, tokenFor } from './testing.js'

const {
  alterConfigs,
  consumerGroupDescribe,
  consumerGroupHeartbeat,
  createPartitions,
  createTopics,
  deleteGroups,
  deleteRecords,
  deleteTopics,
  describeCluster,
  describeConfigs,
  describeGroups,
  describeTopicPartitions,
  fetch,
  findCoordinator,
  heartbeat,
  incrementalAlterConfigs,
  initProducerId,
  joinGroup,
  leaveGroup,
  listGroups,
  listOffsets,
  metadata,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  offsetForLeaderEpoch,
  produce,
  syncGroup,
} = messages

const secretTopic = 'acme/orders/secret'
const topicFailed = 'TOPIC_AUTHORIZATION_FAILED'
const groupFailed = 'GROUP_AUTHORIZATION_FAILED'
const topicType = 2
const brokerType = 4

let secured: Secured
let superToken: string
let topicId: string

const grant = (path: string, role: string, actions: readonly string[]) =>
  secured.admin('POST', `/admin/v2/${path}/permissions/${role}`, superToken, actions)
const login = async (namespace: string, role: string) =>
  loginPlain(await secured.kafka(), namespace, `token:${await tokenFor(role)}`)

/** Logs in, does it, and goes. */
async function as<T>(namespace: string, role: string, task: (client: KafkaClient) => Promise<T>): Promise<T> {
  const client = await login(namespace, role)
  try {
    return await task(client)
  } finally {
    client.socket.destroy()
  }
}

before(async () => {
  secured = await startSecured()
  superToken = await tokenFor(superRole)
  for (const tenant of ['acme', 'globex']) {
    const info = { adminRoles: [`${tenant}-admin`], allowedClusters: ['standalone'] }
    assert.equal((await secured.admin('PUT', `/admin/v2/tenants/${tenant}`, superToken, info))[0], 204)
    await secured.admin('PUT', `/admin/v2/namespaces/${tenant}/orders`, superToken, {})
    await grant(`namespaces/${tenant}/orders`, `${tenant}-app`, ['produce', 'consume'])
  }
  topicId = await as('acme/orders', 'acme-admin', async (admin) => {
    await admin.createTopic('secret')
    await admin.createTopic('shared')
    assert.equal((await admin.produce('secret', [Buffer.from('mine')])).errorCode, 0)
    await commit(admin, 'workers', 'secret')
    const { topics } = await admin.call(metadata, 12, { topics: [{ name: 'secret' }] })
    return topics[0]?.topicId ?? ''
  })
})
after(async () => {
  await secured.stop()
  BrokerProcess.killAll()
})

async function commit(client: KafkaClient, groupId: string, name: string) {
  const { topics } = await client.call(offsetCommit, 2, {
    groupId,
    memberId: '',
    topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }],
  })
  return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorName(errorCode)))
}

const codes = (answers: readonly { readonly errorCode: number }[]) =>
  answers.map(({ errorCode }) => errorName(errorCode))
const join = (groupId: string) => ({
  groupId,
  sessionTimeoutMs: 10_000,
  memberId: '',
  protocolType: 'consumer',
  protocols: [],
})
const member = { memberId: 'm', generationId: 1 }
const joinNext = (groupId: string, topic: string) => ({
  groupId,
  memberId: 'm',
  memberEpoch: 0,
  rebalanceTimeoutMs: 1_000,
  subscribedTopicNames: [topic],
  topicPartitions: [],
})
const noConfigs = { resourceType: topicType, resourceName: secretTopic, configs: [] }
const fetched = { partition: 0, fetchOffset: 0n, partitionMaxBytes: 1000 }
const inPartition = [{ partitionIndex: 0 }]

/** What a client does to another tenant's topic: by its full name, and by its id where that can be. */
const onTopics: Readonly<Record<string, (client: KafkaClient) => Promise<readonly string[]>>> = {
  Produce: async (client) => {
    const { bytes } = await testBatch([{ timestampMs: 1, key: null, value: Buffer.from('x'), headers: [] }])
    const partitionData = [{ index: 0, records: [bytes] }]
    const request = { acks: -1, timeoutMs: 1000, topicData: [{ name: secretTopic, partitionData }] }
    const { responses } = await client.call(produce, 8, request)
    return codes(responses.flatMap((each) => each.partitionResponses))
  },
  Fetch: async (client) => {
    const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1000 }
    const named = [{ topic: secretTopic, partitions: [fetched] }]
    const byName = await client.call(fetch, 11, { ...limits, topics: named })
    const byId = await client.call(fetch, 13, { ...limits, topics: [{ topicId, partitions: [fetched] }] })
    return codes([...byName.responses, ...byId.responses].flatMap((each) => each.partitions))
  },
  ListOffsets: async (client) => {
    const request = {
      replicaId: -1,
      topics: [{ name: secretTopic, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
    }
    return codes((await client.call(listOffsets, 1, request)).topics.flatMap((each) => each.partitions))
  },
  Metadata: async (client) => {
    const { topics } = await client.call(metadata, 12, {
      topics: [{ name: secretTopic }, { name: null, topicId }],
    })
    assert.equal(topics[1]?.name, null)
    return codes(topics)
  },
  DescribeTopicPartitions: async (client) =>
    codes((await client.call(describeTopicPartitions, 0, { topics: [{ name: secretTopic }] })).topics),
  OffsetForLeaderEpoch: async (client) => {
    const partitions = [{ partition: 0, leaderEpoch: 0 }]
    const request = { topics: [{ topic: secretTopic, partitions }] }
    return codes(
      (await client.call(offsetForLeaderEpoch, 2, request)).topics.flatMap((each) => each.partitions),
    )
  },
  OffsetCommit: (client) => commit(client, 'mine', secretTopic),
  OffsetFetch: async (client) => {
    const topics = [{ name: secretTopic, partitionIndexes: [0] }]
    const old = await client.call(offsetFetch, 2, { groupId: 'workers', topics })
    const recent = await client.call(offsetFetch, 8, {
      groups: [{ groupId: 'workers', topics }],
      requireStable: false,
    })
    const answers = [...(old.topics ?? []), ...recent.groups.flatMap((group) => group.topics)]
    return codes(answers.flatMap((each) => each.partitions))
  },
  OffsetDelete: async (client) => {
    assert.deepEqual(await commit(client, 'doomed', 'own'), ['NONE'])
    const request = { groupId: 'doomed', topics: [{ name: secretTopic, partitions: inPartition }] }
    return codes((await client.call(offsetDelete, 0, request)).topics.flatMap((each) => each.partitions))
  },
  ConsumerGroupHeartbeat: async (client) =>
    codes([await client.call(consumerGroupHeartbeat, 0, joinNext('mine', secretTopic))]),
  CreateTopics: async (client) => {
    const topic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const topics = ['acme/orders/new', secretTopic].map((name) => ({ ...topic, name }))
    return codes(
      (await client.call(createTopics, 4, { topics, timeoutMs: 1000, validateOnly: false })).topics,
    )
  },
  DeleteTopics: async (client) => {
    const topics = [
      { name: secretTopic, topicId: zeroTopicId },
      { name: null, topicId },
    ]
    const { responses } = await client.call(deleteTopics, 6, { topics, timeoutMs: 1000 })
    assert.equal(responses[1]?.name, null)
    return codes(responses)
  },
  DeleteRecords: async (client) => {
    const topics = [{ name: secretTopic, partitions: [{ partitionIndex: 0, offset: -1n }] }]
    const answer = await client.call(deleteRecords, 1, { topics, timeoutMs: 1000 })
    return codes(answer.topics.flatMap((each) => each.partitions))
  },
  CreatePartitions: async (client) => {
    const topics = [{ name: secretTopic, count: 5, assignments: null }]
    return codes(
      (await client.call(createPartitions, 1, { topics, timeoutMs: 1000, validateOnly: false })).results,
    )
  },
  DescribeConfigs: async (client) => {
    const resources = [{ resourceType: topicType, resourceName: secretTopic, configurationKeys: null }]
    return codes((await client.call(describeConfigs, 1, { resources, includeSynonyms: true })).results)
  },
  AlterConfigs: async (client) =>
    codes((await client.call(alterConfigs, 1, { resources: [noConfigs], validateOnly: false })).responses),
  IncrementalAlterConfigs: async (client) =>
    codes(
      (await client.call(incrementalAlterConfigs, 0, { resources: [noConfigs], validateOnly: false }))
        .responses,
    ),
}

for (const [name, attempt] of Object.entries(onTopics))
  test(`MT-5: ${name} on another tenant's topic is refused, to its users and to its admins`, async () => {
    for (const role of ['globex-app', 'globex-admin']) {
      const answers = await as('globex/orders', role, async (client) => {
        await client.call(metadata, 4, { topics: [{ name: 'own' }], allowAutoTopicCreation: true })
        return attempt(client)
      })
      assert.ok(answers.length > 0)
      assert.deepEqual([...new Set(answers)], [topicFailed], role)
    }
  })

/** What a client with no right at all in its namespace does with groups. */
const onGroups: Readonly<Record<string, (client: KafkaClient) => Promise<readonly string[]>>> = {
  FindCoordinator: async (client) => [
    ...codes([await client.call(findCoordinator, 1, { key: 'workers', keyType: 0 })]),
    ...codes(
      (await client.call(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['workers'] })).coordinators,
    ),
  ],
  JoinGroup: async (client) =>
    codes([await client.call(joinGroup, 1, { ...join('workers'), rebalanceTimeoutMs: 1 })]),
  SyncGroup: async (client) =>
    codes([await client.call(syncGroup, 1, { groupId: 'workers', ...member, assignments: [] })]),
  Heartbeat: async (client) => codes([await client.call(heartbeat, 1, { groupId: 'workers', ...member })]),
  LeaveGroup: async (client) =>
    codes([await client.call(leaveGroup, 1, { groupId: 'workers', memberId: 'm' })]),
  DescribeGroups: async (client) =>
    codes((await client.call(describeGroups, 1, { groups: ['workers'] })).groups),
  ConsumerGroupHeartbeat: async (client) =>
    codes([await client.call(consumerGroupHeartbeat, 0, joinNext('workers', 'secret'))]),
  ConsumerGroupDescribe: async (client) =>
    codes(
      (
        await client.call(consumerGroupDescribe, 0, {
          groupIds: ['workers'],
          includeAuthorizedOperations: false,
        })
      ).groups,
    ),
  DeleteGroups: async (client) =>
    codes((await client.call(deleteGroups, 1, { groupsNames: ['workers'] })).results),
  OffsetCommit: (client) => commit(client, 'workers', 'secret'),
  OffsetFetch: async (client) => [
    ...codes([await client.call(offsetFetch, 2, { groupId: 'workers', topics: null })]),
    ...codes(
      (
        await client.call(offsetFetch, 8, {
          groups: [{ groupId: 'workers', topics: null }],
          requireStable: false,
        })
      ).groups,
    ),
  ],
  OffsetDelete: async (client) =>
    codes([await client.call(offsetDelete, 0, { groupId: 'workers', topics: [] })]),
  ListGroups: async (client) => {
    const { errorCode, groups } = await client.call(listGroups, 0, {})
    assert.deepEqual([errorCode, groups], [0, []])
    return [groupFailed]
  },
}

for (const [name, attempt] of Object.entries(onGroups))
  test(`MT-5: ${name} in a namespace without the right to consume is refused`, async () => {
    const answers = await as('acme/orders', 'globex-app', attempt)
    assert.deepEqual([...new Set(answers)], [groupFailed])
  })

test('MT-5: a group of the same name is another one in another namespace', async () => {
  await as('globex/orders', 'globex-app', async (client) => {
    const described = await client.call(describeGroups, 1, { groups: ['workers'] })
    assert.deepEqual(
      described.groups.map(({ groupState }) => groupState),
      ['Dead'],
    )
    const listed = await client.call(listGroups, 0, {})
    assert.ok(!listed.groups.some(({ groupId }) => groupId === 'workers'))
    const { results } = await client.call(deleteGroups, 1, { groupsNames: ['workers'] })
    assert.deepEqual(codes(results), ['GROUP_ID_NOT_FOUND'])
    const { topics } = await client.call(offsetFetch, 2, { groupId: 'workers', topics: null })
    assert.deepEqual(topics, [])
  })
})

test('MT-5: who may consume one topic sees no other in the groups that read both', async () => {
  await grant('persistent/acme/orders/shared', 'watcher', ['consume'])
  const request = { groupIds: ['readers'], includeAuthorizedOperations: false }
  const seenBy = (role: string) =>
    as('acme/orders', role, async (client) => {
      const { groups } = await client.call(consumerGroupDescribe, 0, request)
      return groups[0]?.members[0]?.subscribedTopicNames
    })
  await as('acme/orders', 'acme-app', async (client) => {
    const both = { ...joinNext('readers', 'shared'), subscribedTopicNames: ['shared', 'secret'] }
    assert.deepEqual(codes([await client.call(consumerGroupHeartbeat, 0, both)]), ['NONE'])
    assert.deepEqual(await seenBy('watcher'), ['shared'])
    assert.deepEqual(await seenBy('acme-app'), ['shared', 'secret'])
    const gone = {
      ...joinNext('readers', 'shared'),
      memberEpoch: -1,
      subscribedTopicNames: null,
      topicPartitions: null,
    }
    assert.deepEqual(codes([await client.call(consumerGroupHeartbeat, 0, gone)]), ['NONE'])
  })
})

/** APIs that name nothing that could be another tenant's. */
const withoutNames = new Set([
  'ApiVersions',
  'SaslHandshake',
  'SaslAuthenticate',
  'DescribeCluster',
  'InitProducerId',
])
const superUsers = new Set([
  'DescribeClientQuotas',
  'DescribeUserScramCredentials',
  'AlterUserScramCredentials',
])

test('MT-5: no API that is served was forgotten here', () => {
  const served = Array.from({ length: 200 }, (_, key) => findApi(key)?.api.name).filter(
    (name) => name !== undefined,
  )
  const forgotten = served.filter(
    (name) => !(name in onTopics || name in onGroups || withoutNames.has(name) || superUsers.has(name)),
  )
  assert.deepEqual(forgotten, [])
})

test('MT-4: one short name is two topics, each listed to its own tenant', async () => {
  for (const tenant of ['acme', 'globex'])
    await as(`${tenant}/orders`, `${tenant}-app`, async (client) => {
      await client.call(metadata, 4, { topics: [{ name: 'twins' }], allowAutoTopicCreation: true })
      assert.equal((await client.produce('twins', [Buffer.from(tenant)])).errorCode, 0)
    })
  for (const [tenant, hidden] of [
    ['acme', 'own'],
    ['globex', 'secret'],
  ] as const)
    await as(`${tenant}/orders`, `${tenant}-app`, async (client) => {
      assert.deepEqual((await client.readAll('twins')).map(String), [tenant])
      const { topics } = await client.call(metadata, 1, { topics: null })
      const names = topics.map(({ name }) => name ?? '')
      assert.ok(names.includes('twins') && !names.includes(hidden))
      assert.ok(names.every((name) => !name.includes('/')))
    })
})

test('rights on one topic are rights on that topic: it alone is listed, and as far as allowed', async () => {
  await grant('persistent/acme/orders/shared', 'reader', ['consume'])
  await as('acme/orders', 'reader', async (client) => {
    const { topics } = await client.call(metadata, 9, {
      topics: null,
      includeTopicAuthorizedOperations: true,
    })
    assert.deepEqual(
      topics.map(({ name }) => name),
      ['shared'],
    )
    // Bits of KIP-430: read 3, describe 8.
    assert.equal(topics[0]?.topicAuthorizedOperations, (1 << 3) | (1 << 8))
    assert.equal(errorName((await client.produce('shared', [Buffer.from('x')])).errorCode), topicFailed)
    assert.deepEqual(await client.readAll('shared'), [])
    assert.deepEqual(await commit(client, 'readers', 'shared'), ['NONE'])
    assert.deepEqual(await commit(client, 'readers', 'secret'), [topicFailed])
    const { errorCode } = await client.call(initProducerId, 0, {
      transactionalId: null,
      transactionTimeoutMs: 1,
    })
    assert.equal(errorName(errorCode), 'CLUSTER_AUTHORIZATION_FAILED')
    const deleted = await client.call(deleteGroups, 1, { groupsNames: ['readers'] })
    assert.deepEqual(codes(deleted.results), [groupFailed])
    const { groups } = await client.call(describeGroups, 3, {
      groups: ['readers'],
      includeAuthorizedOperations: true,
    })
    assert.equal(groups[0]?.authorizedOperations, (1 << 3) | (1 << 8))
  })
})

test('a right that is taken away is gone on open connections too', async () => {
  await grant('namespaces/acme/orders', 'guest', ['produce', 'consume'])
  await as('acme/orders', 'guest', async (client) => {
    assert.equal((await client.produce('shared', [Buffer.from('x')])).errorCode, 0)
    const [status] = await secured.admin(
      'DELETE',
      '/admin/v2/namespaces/acme/orders/permissions/guest',
      superToken,
    )
    assert.equal(status, 204)
    assert.equal(errorName((await client.produce('shared', [Buffer.from('x')])).errorCode), topicFailed)
  })
})

test('configs of brokers are for super users, and what the cluster allows is told each client', async () => {
  const resource = { resourceType: brokerType, resourceName: '0' }
  const attempt = async (client: KafkaClient) => [
    ...codes(
      (
        await client.call(describeConfigs, 1, {
          resources: [{ ...resource, configurationKeys: null }],
          includeSynonyms: false,
        })
      ).results,
    ),
    ...codes(
      (
        await client.call(incrementalAlterConfigs, 0, {
          resources: [{ ...resource, configs: [] }],
          validateOnly: false,
        })
      ).responses,
    ),
  ]
  const failed = 'CLUSTER_AUTHORIZATION_FAILED'
  assert.deepEqual(await as('acme/orders', 'acme-admin', attempt), [failed, failed])
  assert.deepEqual(await as('acme/orders', superRole, attempt), ['NONE', 'INVALID_REQUEST'])
  const operations = async (client: KafkaClient) =>
    (await client.call(describeCluster, 0, { includeClusterAuthorizedOperations: true }))
      .clusterAuthorizedOperations
  assert.equal(await as('acme/orders', 'acme-app', operations), 1 << 12)
  assert.ok((await as('acme/orders', superRole, operations)) > 1 << 12)
})

test('a fetch session is not another client’s', async () => {
  const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1000 }
  await as('acme/orders', 'acme-app', async (mine) => {
    const topics = [{ topic: 'secret', partitions: [fetched] }]
    const { sessionId } = await mine.call(fetch, 11, { ...limits, sessionId: 0, sessionEpoch: 0, topics })
    assert.ok(sessionId > 0)
    for (const [namespace, role] of [
      ['globex/orders', 'globex-app'],
      ['acme/orders', superRole],
      ['globex/orders', 'acme-app'],
    ] as const)
      await as(namespace, role, async (other) => {
        const answer = await other.call(fetch, 11, { ...limits, sessionId, sessionEpoch: 1, topics: [] })
        assert.equal(errorName(answer.errorCode), 'FETCH_SESSION_ID_NOT_FOUND')
      })
    const answer = await mine.call(fetch, 11, { ...limits, sessionId, sessionEpoch: 1, topics: [] })
    assert.equal(answer.errorCode, 0)
  })
})

test('MT-5: after all of it, everything of the tenant is as it was', async () => {
  await as('acme/orders', 'acme-app', async (client) => {
    assert.deepEqual((await client.readAll('secret')).map(String), ['mine'])
    const { topics } = await client.call(metadata, 12, {
      topics: [{ name: 'secret' }, { name: 'new' }],
      allowAutoTopicCreation: false,
    })
    assert.deepEqual(
      topics.map(({ partitions }) => partitions.length),
      [1, 0],
    )
    const committed = await client.call(offsetFetch, 2, { groupId: 'workers', topics: null })
    assert.equal(committed.topics?.[0]?.partitions[0]?.committedOffset, 1n)
  })
})
