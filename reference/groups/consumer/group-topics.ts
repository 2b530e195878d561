import { type KafkaNames, kafkaNames } from '../../topics/names.js'
import { isRefusal, type TopicCatalog, type TopicInfo } from '../../topics/types.js'
import { type GroupKey, groupNameOf } from '../group-key.js'
import { topicPattern } from './regex.js'
import type { AssignableTopic, SubscribableTopics } from './state.js'

/** The topics as a group sees them: short names are of its own namespace (register MT-3), and so is what a pattern finds. */
export class GroupTopics implements SubscribableTopics {
  readonly #catalog: Pick<TopicCatalog, 'find' | 'findById' | 'list'>
  readonly #namespace: { readonly tenant: string; readonly namespace: string }
  readonly #names: KafkaNames

  constructor(catalog: Pick<TopicCatalog, 'find' | 'findById' | 'list'>, key: GroupKey) {
    this.#catalog = catalog
    this.#namespace = groupNameOf(key)
    const { tenant: kafkaTenant, namespace: kafkaNamespace } = this.#namespace
    this.#names = kafkaNames({ kafkaTenant, kafkaNamespace })
  }

  named(name: string): AssignableTopic | undefined {
    const resolved = this.#names.resolveKafkaName(name)
    const topic = isRefusal(resolved) ? undefined : this.#catalog.find(resolved)
    return topic && assignable(topic)
  }

  matching(regex: string): readonly AssignableTopic[] {
    const matches = topicPattern(regex)
    if (matches === null) return []
    const { tenant, namespace } = this.#namespace
    return this.#catalog
      .list(tenant, namespace)
      .filter((topic) => !topic.internal && matches(this.nameOf(topic)))
      .map(assignable)
  }

  /** The name under which the group's members know a topic; undefined: it is gone. */
  nameOfId(topicId: string): string | undefined {
    const topic = this.#catalog.findById(topicId)
    return topic && this.nameOf(topic)
  }

  nameOf({ name }: TopicInfo): string {
    return this.#names.kafkaNameOf(name)
  }
}

/** Kafka sees a topic without partitions with one (register MT-12). */
const assignable = ({ topicId, partitions }: TopicInfo): AssignableTopic => ({
  topicId,
  partitions: Math.max(1, partitions),
})
