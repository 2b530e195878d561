import type { Authorizer, NamespaceName, Right, Role } from '../../security/types.js'
import { type Refusal, refuse, type TopicName } from '../../topics/types.js'

/**
 * The right that an API needs of a topic. `see`: to produce or to consume, as for Pulsar's look-up. `administer`: the tenant's
 * admins and super users.
 */
export type TopicNeed = Extract<Right, 'produce' | 'consume'> | 'see' | 'administer'

/** Every API that names topics (register MT-5). What is not here needs the most. */
const topicNeeds: Readonly<Record<string, TopicNeed>> = {
  Produce: 'produce',
  Fetch: 'consume',
  ListOffsets: 'consume',
  OffsetForLeaderEpoch: 'consume',
  Metadata: 'see',
  DescribeTopicPartitions: 'see',
  OffsetCommit: 'consume',
  OffsetFetch: 'consume',
  OffsetDelete: 'consume',
  ConsumerGroupHeartbeat: 'consume',
  ConsumerGroupDescribe: 'consume',
  CreateTopics: 'administer',
  DeleteTopics: 'administer',
  DeleteRecords: 'administer',
  CreatePartitions: 'administer',
  DescribeConfigs: 'administer',
  AlterConfigs: 'administer',
  IncrementalAlterConfigs: 'administer',
}

export const topicNeedOf = (apiName: string): TopicNeed => topicNeeds[apiName] ?? 'administer'

/** Answers remembered at most: a client that makes up names makes us keep no more. */
const rememberedMax = 10_000

/** What one client may do in its namespace and on topics. Answers are remembered until any permission changes. */
export class Access {
  readonly #authorizer: Authorizer | null
  readonly #role: Role | null
  readonly #namespace: NamespaceName
  readonly #topics = new Map<string, boolean>()
  #version = -1

  /** @param authorizer null: everything is allowed. @param role null: nobody in particular, who is allowed nothing. */
  constructor(authorizer: Authorizer | null, role: Role | null, namespace: NamespaceName) {
    this.#authorizer = authorizer
    this.#role = role
    this.#namespace = namespace
  }

  mayOnTopic(need: TopicNeed, topic: TopicName): boolean {
    const authorizer = this.#authorizer
    if (authorizer === null) return true
    if (this.#version !== authorizer.version || this.#topics.size >= rememberedMax) {
      this.#topics.clear()
      this.#version = authorizer.version
    }
    const key = `${need} ${topic.tenant}/${topic.namespace}/${topic.local}`
    let may = this.#topics.get(key)
    if (may === undefined) {
      may = this.#role !== null && mayOnTopic(authorizer, this.#role, need, topic)
      this.#topics.set(key, may)
    }
    return may
  }

  /** To be a member, and to see groups: whoever may consume anything in the namespace. */
  mayUseGroups(): boolean {
    return this.#somewhere('consume')
  }

  /** A group's offsets are of all topics: only whoever may consume all of them. */
  mayDeleteGroups(): boolean {
    const may = (authorizer: Authorizer, role: Role) =>
      authorizer.mayInNamespace(role, this.#namespace, 'consume')
    return this.#may(may)
  }

  /** To have a producer id. */
  mayProduceSomewhere(): boolean {
    return this.#somewhere('produce')
  }

  isSuperUser(): boolean {
    return this.#may((authorizer, role) => authorizer.isSuperUser(role))
  }

  #somewhere(right: Right): boolean {
    return this.#may((authorizer, role) => authorizer.maySomewhere(role, this.#namespace, right))
  }

  #may(ask: (authorizer: Authorizer, role: Role) => boolean): boolean {
    if (this.#authorizer === null) return true
    return this.#role !== null && ask(this.#authorizer, this.#role)
  }
}

function mayOnTopic(authorizer: Authorizer, role: Role, need: TopicNeed, topic: TopicName): boolean {
  if (need === 'administer') return authorizer.isTenantAdmin(role, topic.tenant)
  if (need !== 'see') return authorizer.mayOnTopic(role, topic, need)
  return authorizer.mayOnTopic(role, topic, 'consume') || authorizer.mayOnTopic(role, topic, 'produce')
}

/** The answer to a client that lacks the right that the API needs; null when it has it. Does not tell whether there is one. */
export function topicFault(
  call: { readonly access: Access; readonly topicNeed: TopicNeed },
  topic: TopicName,
): Refusal | null {
  if (call.access.mayOnTopic(call.topicNeed, topic)) return null
  return refuse('TOPIC_AUTHORIZATION_FAILED', `Not authorized to access topic ${topic.local}`)
}
