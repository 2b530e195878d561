/**
 * More tables in the form of kafka-messages.mjs: logging in, passwords, and what else names nothing of a topic's data.
 * A cursor is written as its presence alone: −1, none.
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

api DescribeTopicPartitions 75 0-0 flexible 0
request
  topics []
    name string
  responsePartitionLimit int32
  cursor int8
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
  nextCursor int8
`
