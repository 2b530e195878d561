import { SECURITY_TABLES } from './kafka-security-messages.mjs'

/**
 * The forms of the Kafka requests that scenarios send, in every version that Kafka has had, written from Kafka's public
 * protocol guide. One line a field: `name type versions`; an indented block under `name [] versions` is an array of
 * structures, under `name {} versions` one structure. `?` after a type: nullable. Tagged fields are read over by their length.
 *
 * Independent of the reference broker on purpose: a suite that reads with the codec of what it judges sees no error.
 */
const TABLES = `
api Produce 0 0-13 flexible 9
request
  transactionalId string? 3+
  acks int16
  timeoutMs int32
  topicData []
    name string 0-12
    topicId uuid 13+
    partitionData []
      index int32
      records records
response
  responses []
    name string 0-12
    topicId uuid 13+
    partitionResponses []
      index int32
      errorCode int16
      baseOffset int64
      logAppendTimeMs int64 2+
      logStartOffset int64 5+
      recordErrors [] 8+
        batchIndex int32
        batchIndexErrorMessage string?
      errorMessage string? 8+
  throttleTimeMs int32 1+

api Fetch 1 0-18 flexible 12
request
  replicaId int32 0-14
  maxWaitMs int32
  minBytes int32
  maxBytes int32 3+
  isolationLevel int8 4+
  sessionId int32 7+
  sessionEpoch int32 7+
  topics []
    topic string 0-12
    topicId uuid 13+
    partitions []
      partition int32
      currentLeaderEpoch int32 9+
      fetchOffset int64
      lastFetchedEpoch int32 12+
      logStartOffset int64 5+
      partitionMaxBytes int32
  forgottenTopicsData [] 7+
    topic string 7-12
    topicId uuid 13+
    partitions int32[]
  rackId string 11+
response
  throttleTimeMs int32 1+
  errorCode int16 7+
  sessionId int32 7+
  responses []
    topic string 0-12
    topicId uuid 13+
    partitions []
      partitionIndex int32
      errorCode int16
      highWatermark int64
      lastStableOffset int64 4+
      logStartOffset int64 5+
      abortedTransactions []? 4+
        producerId int64
        firstOffset int64
      preferredReadReplica int32 11+
      records records

api ListOffsets 2 0-11 flexible 6
request
  replicaId int32
  isolationLevel int8 2+
  topics []
    name string
    partitions []
      partitionIndex int32
      currentLeaderEpoch int32 4+
      timestamp int64
      maxNumOffsets int32 0-0
  timeoutMs int32 10+
response
  throttleTimeMs int32 2+
  topics []
    name string
    partitions []
      partitionIndex int32
      errorCode int16
      oldStyleOffsets int64[] 0-0
      timestamp int64 1+
      offset int64 1+
      leaderEpoch int32 4+

api Metadata 3 0-13 flexible 9
request
  topics []?
    topicId uuid 10+
    name string?
  allowAutoTopicCreation bool 4+
  includeClusterAuthorizedOperations bool 8-10
  includeTopicAuthorizedOperations bool 8+
response
  throttleTimeMs int32 3+
  brokers []
    nodeId int32
    host string
    port int32
    rack string? 1+
  clusterId string? 2+
  controllerId int32 1+
  topics []
    errorCode int16
    name string?
    topicId uuid 10+
    isInternal bool 1+
    partitions []
      errorCode int16
      partitionIndex int32
      leaderId int32
      leaderEpoch int32 7+
      replicaNodes int32[]
      isrNodes int32[]
      offlineReplicas int32[] 5+
    topicAuthorizedOperations int32 8+
  clusterAuthorizedOperations int32 8-10
  errorCode int16 13+

api OffsetCommit 8 0-10 flexible 8
request
  groupId string
  generationIdOrMemberEpoch int32 1+
  memberId string 1+
  groupInstanceId string? 7+
  retentionTimeMs int64 2-4
  topics []
    name string 0-9
    topicId uuid 10+
    partitions []
      partitionIndex int32
      committedOffset int64
      committedLeaderEpoch int32 6+
      commitTimestamp int64 1-1
      committedMetadata string?
response
  throttleTimeMs int32 3+
  topics []
    name string 0-9
    topicId uuid 10+
    partitions []
      partitionIndex int32
      errorCode int16

api OffsetFetch 9 0-10 flexible 6
request
  groupId string 0-7
  topics []? 0-7
    name string
    partitionIndexes int32[]
  groups [] 8+
    groupId string
    memberId string? 9+
    memberEpoch int32 9+
    topics []?
      name string 8-9
      topicId uuid 10+
      partitionIndexes int32[]
  requireStable bool 7+
response
  throttleTimeMs int32 3+
  topics [] 0-7
    name string
    partitions []
      partitionIndex int32
      committedOffset int64
      committedLeaderEpoch int32 5+
      metadata string?
      errorCode int16
  errorCode int16 2-7
  groups [] 8+
    groupId string
    topics []
      name string 8-9
      topicId uuid 10+
      partitions []
        partitionIndex int32
        committedOffset int64
        committedLeaderEpoch int32
        metadata string?
        errorCode int16
    errorCode int16

api FindCoordinator 10 0-6 flexible 3
request
  key string 0-3
  keyType int8 1+
  coordinatorKeys string[] 4+
response
  throttleTimeMs int32 1+
  errorCode int16 0-3
  errorMessage string? 1-3
  nodeId int32 0-3
  host string 0-3
  port int32 0-3
  coordinators [] 4+
    key string
    nodeId int32
    host string
    port int32
    errorCode int16
    errorMessage string?

api JoinGroup 11 0-9 flexible 6
request
  groupId string
  sessionTimeoutMs int32
  rebalanceTimeoutMs int32 1+
  memberId string
  groupInstanceId string? 5+
  protocolType string
  protocols []
    name string
    metadata bytes
  reason string? 8+
response
  throttleTimeMs int32 2+
  errorCode int16
  generationId int32
  protocolType string? 7+
  protocolName string?
  leader string
  skipAssignment bool 9+
  memberId string
  members []
    memberId string
    groupInstanceId string? 5+
    metadata bytes

api Heartbeat 12 0-4 flexible 4
request
  groupId string
  generationId int32
  memberId string
  groupInstanceId string? 3+
response
  throttleTimeMs int32 1+
  errorCode int16

api LeaveGroup 13 0-5 flexible 4
request
  groupId string
  memberId string 0-2
  members [] 3+
    memberId string
    groupInstanceId string?
    reason string? 5+
response
  throttleTimeMs int32 1+
  errorCode int16
  members [] 3+
    memberId string
    groupInstanceId string?
    errorCode int16

api SyncGroup 14 0-5 flexible 4
request
  groupId string
  generationId int32
  memberId string
  groupInstanceId string? 3+
  protocolType string? 5+
  protocolName string? 5+
  assignments []
    memberId string
    assignment bytes
response
  throttleTimeMs int32 1+
  errorCode int16
  protocolType string? 5+
  protocolName string? 5+
  assignment bytes

api DescribeGroups 15 0-6 flexible 5
request
  groups string[]
  includeAuthorizedOperations bool 3+
response
  throttleTimeMs int32 1+
  groups []
    errorCode int16
    errorMessage string? 6+
    groupId string
    groupState string
    protocolType string
    protocolData string
    members []
      memberId string
      groupInstanceId string? 4+
      clientId string
      clientHost string
      memberMetadata bytes
      memberAssignment bytes
    authorizedOperations int32 3+

api ListGroups 16 0-5 flexible 3
request
  statesFilter string[] 4+
  typesFilter string[] 5+
response
  throttleTimeMs int32 1+
  errorCode int16
  groups []
    groupId string
    protocolType string
    groupState string 4+
    groupType string 5+

api ApiVersions 18 0-4 flexible 3
request
  clientSoftwareName string 3+
  clientSoftwareVersion string 3+
response
  errorCode int16
  apiKeys []
    apiKey int16
    minVersion int16
    maxVersion int16
  throttleTimeMs int32 1+

api CreateTopics 19 0-7 flexible 5
request
  topics []
    name string
    numPartitions int32
    replicationFactor int16
    assignments []
      partitionIndex int32
      brokerIds int32[]
    configs []
      name string
      value string?
  timeoutMs int32
  validateOnly bool 1+
response
  throttleTimeMs int32 2+
  topics []
    name string
    topicId uuid 7+
    errorCode int16
    errorMessage string? 1+
    numPartitions int32 5+
    replicationFactor int16 5+
    configs []? 5+
      name string
      value string?
      readOnly bool
      configSource int8
      isSensitive bool

api DeleteTopics 20 0-6 flexible 4
request
  topics [] 6+
    name string?
    topicId uuid
  topicNames string[] 0-5
  timeoutMs int32
response
  throttleTimeMs int32 1+
  responses []
    name string?
    topicId uuid 6+
    errorCode int16
    errorMessage string? 5+

api DeleteRecords 21 0-2 flexible 2
request
  topics []
    name string
    partitions []
      partitionIndex int32
      offset int64
  timeoutMs int32
response
  throttleTimeMs int32
  topics []
    name string
    partitions []
      partitionIndex int32
      lowWatermark int64
      errorCode int16

api InitProducerId 22 0-6 flexible 2
request
  transactionalId string?
  transactionTimeoutMs int32
  producerId int64 3+
  producerEpoch int16 3+
  enable2Pc bool 6+
  keepPreparedTxn bool 6+
response
  throttleTimeMs int32
  errorCode int16
  producerId int64
  producerEpoch int16
  ongoingTxnProducerId int64 6+
  ongoingTxnProducerEpoch int16 6+

api OffsetForLeaderEpoch 23 0-4 flexible 4
request
  replicaId int32 3+
  topics []
    topic string
    partitions []
      partition int32
      currentLeaderEpoch int32 2+
      leaderEpoch int32
response
  throttleTimeMs int32 2+
  topics []
    topic string
    partitions []
      errorCode int16
      partition int32
      leaderEpoch int32 1+
      endOffset int64

api DescribeConfigs 32 0-4 flexible 4
request
  resources []
    resourceType int8
    resourceName string
    configurationKeys string[]?
  includeSynonyms bool 1+
  includeDocumentation bool 3+
response
  throttleTimeMs int32
  results []
    errorCode int16
    errorMessage string?
    resourceType int8
    resourceName string
    configs []
      name string
      value string?
      readOnly bool
      isDefault bool 0-0
      configSource int8 1+
      isSensitive bool
      synonyms [] 1+
        name string
        value string?
        source int8
      configType int8 3+
      documentation string? 3+

api AlterConfigs 33 0-2 flexible 2
request
  resources []
    resourceType int8
    resourceName string
    configs []
      name string
      value string?
  validateOnly bool
response
  throttleTimeMs int32
  responses []
    errorCode int16
    errorMessage string?
    resourceType int8
    resourceName string

api CreatePartitions 37 0-3 flexible 2
request
  topics []
    name string
    count int32
    assignments []?
      brokerIds int32[]
  timeoutMs int32
  validateOnly bool
response
  throttleTimeMs int32
  results []
    name string
    errorCode int16
    errorMessage string?

api DeleteGroups 42 0-2 flexible 2
request
  groupsNames string[]
response
  throttleTimeMs int32
  results []
    groupId string
    errorCode int16

api IncrementalAlterConfigs 44 0-1 flexible 1
request
  resources []
    resourceType int8
    resourceName string
    configs []
      name string
      configOperation int8
      value string?
  validateOnly bool
response
  throttleTimeMs int32
  responses []
    errorCode int16
    errorMessage string?
    resourceType int8
    resourceName string

api OffsetDelete 47 0-0 flexible 99
request
  groupId string
  topics []
    name string
    partitions []
      partitionIndex int32
response
  errorCode int16
  throttleTimeMs int32
  topics []
    name string
    partitions []
      partitionIndex int32
      errorCode int16

api DescribeCluster 60 0-2 flexible 0
request
  includeClusterAuthorizedOperations bool
  endpointType int8 1+
  includeFencedBrokers bool 2+
response
  throttleTimeMs int32
  errorCode int16
  errorMessage string?
  endpointType int8 1+
  clusterId string
  controllerId int32
  brokers []
    brokerId int32
    host string
    port int32
    rack string?
    isFenced bool 2+
  clusterAuthorizedOperations int32
`

/** By name: `{ name, key, versionMin, versionMax, flexibleFrom, request, response }`, the last two lists of fields. */
export const messages = parseTables(TABLES + SECURITY_TABLES)

function parseTables(text) {
  const apis = new Map()
  let api
  let stack = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const words = line.trim().split(/\s+/)
    if (words[0] === 'api') {
      const [versionMin, versionMax] = words[3].split('-').map(Number)
      api = { name: words[1], key: Number(words[2]), versionMin, versionMax, flexibleFrom: Number(words[5]) }
      apis.set(api.name, api)
    } else if (words[0] === 'request' || words[0] === 'response') {
      api[words[0]] = []
      stack = [api[words[0]]]
    } else {
      const depth = line.search(/\S/) / 2 - 1
      const field = parseField(words)
      stack[depth].push(field)
      if (field.fields) stack[depth + 1] = field.fields
    }
  }
  return apis
}

function parseField([name, type, versions = '0+']) {
  const [from, to] = versions.endsWith('+')
    ? [Number(versions.slice(0, -1)), 99]
    : versions.split('-').map(Number)
  const nullable = type.endsWith('?')
  const bare = nullable ? type.slice(0, -1) : type
  if (bare === '{}') return { name, from, to, nullable, fields: [] }
  if (bare === '[]') return { name, from, to, nullable, array: true, fields: [] }
  if (bare.endsWith('[]')) return { name, from, to, nullable, array: true, type: bare.slice(0, -2) }
  return { name, from, to, nullable, type: bare }
}
