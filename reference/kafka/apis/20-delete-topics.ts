import { CoordinatorLoading } from '../../groups/loading.js'
import { fullName } from '../../topics/names.js'
import { isRefusal, type TopicInfo } from '../../topics/types.js'
import { deleteTopics as table } from '../messages/20-delete-topics.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { ResponseOf } from '../wire/schema.js'
import { storageFault } from './faults.js'
import { type Call, handler } from './handler.js'
import { findTopic, findTopicById, isInternal, zeroTopicId } from './topics.js'

type Answer = ResponseOf<typeof table>['responses'][number]

/** DeleteTopics v0 to v6, by name or id. A topic's committed offsets go with it. Internal topics are not deleted. */
export const deleteTopics = handler(table, async (request, call) => {
  const asked = [
    ...request.topicNames.map((name) => ({ name, topicId: zeroTopicId })),
    ...request.topics.map(({ name, topicId }) => ({ name, topicId })),
  ]
  return { responses: await Promise.all(asked.map((each) => deleteOne(each.name, each.topicId, call))) }
})

async function deleteOne(name: string | null, topicId: string, call: Call): Promise<Answer> {
  if (name !== null && topicId !== zeroTopicId)
    return answer(name, topicId, 'INVALID_REQUEST', 'name a topic or give its id, not both')
  if (name === null) {
    const topic = findTopicById(call, topicId)
    if (topic === undefined) return answer(null, topicId, 'UNKNOWN_TOPIC_ID', 'there is no topic of this id')
    if (isRefusal(topic)) return answer(null, topicId, topic.refused, topic.message)
    return remove(topic, call.broker.names.kafkaNameOf(topic.name), call)
  }
  const topic = findTopic(call, name)
  return isRefusal(topic) ? answer(name, topicId, topic.refused, topic.message) : remove(topic, name, call)
}

async function remove(topic: TopicInfo, name: string, call: Call): Promise<Answer> {
  const { catalog } = call.broker
  if (isInternal(topic))
    return answer(name, topic.topicId, 'INVALID_REQUEST', 'a system topic cannot be deleted')
  try {
    const deleted = await catalog.delete(topic.name)
    if (deleted !== true) return answer(name, topic.topicId, deleted.refused, deleted.message)
    await forgetCommits(topic, call)
    return answer(name, topic.topicId, 'NONE', null)
  } catch (error) {
    const failure = storageFault(error, call, 'a topic could not be deleted')
    return answer(name, topic.topicId, failure, 'the topic could not be deleted')
  }
}

/** While groups are being loaded nobody can; the broker does it afterwards. */
async function forgetCommits(topic: TopicInfo, call: Call): Promise<void> {
  try {
    await call.broker.coordinator.forgetTopic(fullName(topic.name))
  } catch (error) {
    if (!(error instanceof CoordinatorLoading)) throw error
  }
}

const answer = (
  name: string | null,
  topicId: string,
  error: ErrorName,
  errorMessage: string | null,
): Answer => ({
  name,
  topicId,
  errorCode: errorCode(error),
  errorMessage,
})
