import { api, array, bool, int8, int16, int32, string, struct, uuid } from '../wire/schema.js'

const assignment = () =>
  struct({
    topicPartitions: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }),
  })

/** Members and state of groups of the consumer protocol (KIP-848). v1: which protocol a member speaks (KIP-1099). */
export const consumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
  flexibleSince: 0,
  request: { groupIds: array(string()), includeAuthorizedOperations: bool() },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0, default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: string({ nullable: 0, default: null }),
        rackId: string({ nullable: 0, default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        subscribedTopicRegex: string({ nullable: 0, default: null }),
        assignment: assignment(),
        targetAssignment: assignment(),
        memberType: int8({ since: 1, default: -1 }),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
})
