import { isRefusal, type TopicCatalog, type TopicInfo } from '../../topics/types.js'
import type { ErrorName } from '../wire/errors.js'
import { storageFault } from './faults.js'
import type { Call } from './handler.js'
import { checkTopicConfigs } from './topic-configs.js'
import { findTopic } from './topics.js'

export const resourceType = { topic: 2, broker: 4, brokerLogger: 8 } as const

export interface Outcome {
  readonly error: ErrorName
  readonly message: string | null
}

export interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

export const done: Outcome = { error: 'NONE', message: null }
export const failed = (error: ErrorName, message: string): Outcome => ({ error, message })

export const brokersAreSuperUsers = {
  error: 'CLUSTER_AUTHORIZATION_FAILED',
  message: 'configs of brokers are for super users',
} as const

/**
 * Changes a topic's own configs to what `change` makes of them, once they are found right. Brokers' configs are those of
 * their file, so changing them is refused.
 */
export async function alterResource(
  resource: Resource,
  validateOnly: boolean,
  call: Call,
  change: (topic: TopicInfo) => Readonly<Record<string, string>> | Outcome,
): Promise<Outcome> {
  if (resource.resourceType === resourceType.broker)
    return call.access.isSuperUser()
      ? failed('INVALID_REQUEST', 'broker configs are set in its configuration file')
      : brokersAreSuperUsers
  if (resource.resourceType !== resourceType.topic)
    return failed('INVALID_REQUEST', `configs of resource type ${resource.resourceType} cannot be changed`)
  return inTurn(call.broker.catalog, async () => {
    const topic = findTopic(call, resource.resourceName)
    if (isRefusal(topic)) return failed(topic.refused, topic.message)
    const changed = change(topic)
    if (isOutcome(changed)) return changed
    const fault = checkTopicConfigs(changed, call.broker)
    if (fault !== null) return failed(fault.refused, fault.message)
    if (validateOnly) return done
    return store(topic, changed, call)
  })
}

const lastTurns = new WeakMap<TopicCatalog, Promise<unknown>>()

/** Changes start from what the one before has stored: of two clients' at once, none is lost. */
function inTurn(catalog: TopicCatalog, alter: () => Promise<Outcome>): Promise<Outcome> {
  const mine = (lastTurns.get(catalog) ?? Promise.resolve()).then(alter)
  lastTurns.set(
    catalog,
    mine.catch(() => undefined),
  )
  return mine
}

async function store(
  topic: TopicInfo,
  configs: Readonly<Record<string, string>>,
  call: Call,
): Promise<Outcome> {
  try {
    const stored = await call.broker.catalog.setConfigs(topic.name, configs)
    return isRefusal(stored) ? failed(stored.refused, stored.message) : done
  } catch (error) {
    return failed(storageFault(error, call, 'configs could not be stored'), 'the configs could not be stored')
  }
}

const isOutcome = (value: Readonly<Record<string, string>> | Outcome): value is Outcome =>
  'error' in value && 'message' in value
