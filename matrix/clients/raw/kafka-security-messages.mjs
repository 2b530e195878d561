/**
 * More tables in the form of kafka-messages.mjs: logging in and passwords, and what else a client may try on another's.
 */
export const SECURITY_TABLES = `
api SaslHandshake 17 0-1 flexible 99
request
  mechanism string
response
  errorCode int16
  mechanisms string[]

api SaslAuthenticate 36 0-2 flexible 2
request
  authBytes bytes
response
  errorCode int16
  errorMessage string?
  authBytes bytes
  sessionLifetimeMs int64 1+

api DescribeClientQuotas 48 0-1 flexible 1
request
  components []
    entityType string
    matchType int8
    match string?
  strict bool
response
  throttleTimeMs int32
  errorCode int16
  errorMessage string?
  entries []?
    entity []
      entityType string
      entityName string?
    values []
      key string
      value int64

api DescribeUserScramCredentials 50 0-0 flexible 0
request
  users []?
    name string
response
  throttleTimeMs int32
  errorCode int16
  errorMessage string?
  results []
    user string
    errorCode int16
    errorMessage string?
    credentialInfos []
      mechanism int8
      iterations int32

api AlterUserScramCredentials 51 0-0 flexible 0
request
  deletions []
    name string
    mechanism int8
  upsertions []
    name string
    mechanism int8
    iterations int32
    salt bytes
    saltedPassword bytes
response
  throttleTimeMs int32
  results []
    user string
    errorCode int16
    errorMessage string?

api ConsumerGroupHeartbeat 68 0-1 flexible 0
request
  groupId string
  memberId string
  memberEpoch int32
  instanceId string?
  rackId string?
  rebalanceTimeoutMs int32
  subscribedTopicNames string[]?
  subscribedTopicRegex string? 1+
  serverAssignor string?
  topicPartitions []?
    topicId uuid
    partitions int32[]
response
  throttleTimeMs int32
  errorCode int16
  errorMessage string?
  memberId string?
  memberEpoch int32
  heartbeatIntervalMs int32
  assignment {}?
    topicPartitions []
      topicId uuid
      partitions int32[]

api ConsumerGroupDescribe 69 0-1 flexible 0
request
  groupIds string[]
  includeAuthorizedOperations bool
response
  throttleTimeMs int32
  groups []
    errorCode int16
    errorMessage string?
    groupId string
    groupState string
    groupEpoch int32
    assignmentEpoch int32
    assignorName string
    members []
      memberId string
      instanceId string?
      rackId string?
      memberEpoch int32
      clientId string
      clientHost string
      subscribedTopicNames string[]
      subscribedTopicRegex string?
      assignment {}
        topicPartitions []
          topicId uuid
          topicName string
          partitions int32[]
      targetAssignment {}
        topicPartitions []
          topicId uuid
          topicName string
          partitions int32[]
      memberType int8 1+
    authorizedOperations int32

api DescribeTopicPartitions 75 0-0 flexible 0
request
  topics []
    name string
  responsePartitionLimit int32
  cursor {}?
    topicName string
    partitionIndex int32
response
  throttleTimeMs int32
  topics []
    errorCode int16
    name string?
    topicId uuid
    isInternal bool
    partitions []
      errorCode int16
      partitionIndex int32
      leaderId int32
      leaderEpoch int32
      replicaNodes int32[]
      isrNodes int32[]
      eligibleLeaderReplicas int32[]?
      lastKnownElr int32[]?
      offlineReplicas int32[]
    topicAuthorizedOperations int32
  nextCursor {}?
    topicName string
    partitionIndex int32
`
