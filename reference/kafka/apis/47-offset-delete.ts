import type { GroupKey } from '../../groups/group-key.js'
import type { TopicPartition } from '../../groups/offset-store.js'
import { fullName } from '../../topics/names.js'
import { isRefusal, type TopicInfo } from '../../topics/types.js'
import { offsetDelete as table } from '../messages/47-offset-delete.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { coordinatorFault } from './faults.js'
import { keyOfGroup } from './groups.js'
import { type Call, handler } from './handler.js'
import { findTopic, partitionCount } from './topics.js'

type AskedTopic = RequestOf<typeof table>['topics'][number]

/** OffsetDelete v0 (KIP-496): refused for topics that a member of the group subscribes to. */
export const offsetDelete = handler(table, async (request, call) => {
  const key = keyOfGroup(request.groupId, call)
  const failed = (error: ErrorName) => ({ errorCode: errorCode(error), throttleTimeMs: 0, topics: [] })
  try {
    const refusal = await call.broker.coordinator.mayDeleteOffsets(key)
    if (refusal !== 'NONE') return failed(refusal)
    const checked = request.topics.map((topic) => check(key, topic, call))
    await call.broker.coordinator.deleteOffsets(
      key,
      checked.flatMap((topic) => topic.doomed),
    )
    return { errorCode: 0, throttleTimeMs: 0, topics: checked.map((topic) => topic.answer) }
  } catch (error) {
    return failed(coordinatorFault(error, call, 'offsets could not be deleted'))
  }
})

function check(key: GroupKey, asked: AskedTopic, call: Call) {
  const topic = findTopic(call, asked.name)
  const partitions = asked.partitions.map(({ partitionIndex }) => ({
    partitionIndex,
    errorCode: errorCode(
      isRefusal(topic) ? topic.refused : fault(key, asked.name, topic, partitionIndex, call),
    ),
  }))
  const doomed = isRefusal(topic)
    ? []
    : partitions
        .filter((each) => each.errorCode === 0)
        .map((each): TopicPartition => ({ topic: fullName(topic.name), partition: each.partitionIndex }))
  return { answer: { name: asked.name, partitions }, doomed }
}

function fault(key: GroupKey, askedName: string, topic: TopicInfo, index: number, call: Call): ErrorName {
  if (index < 0 || index >= partitionCount(topic)) return 'UNKNOWN_TOPIC_OR_PARTITION'
  const { coordinator, names } = call.broker
  const { tenant, namespace, local } = topic.name
  const kafkaNames = [
    askedName,
    names.kafkaNameOf(topic.name),
    fullName(topic.name),
    `${tenant}/${namespace}/${local}`,
  ]
  return coordinator.isSubscribed(key, kafkaNames) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'
}
