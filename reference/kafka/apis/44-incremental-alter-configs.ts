import type { TopicInfo } from '../../topics/types.js'
import { incrementalAlterConfigs as table } from '../messages/44-incremental-alter-configs.js'
import { errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { alterResource, failed, type Outcome } from './config-resources.js'
import { type Call, handler } from './handler.js'
import { listItems, topicConfigs } from './topic-configs.js'

type Change = RequestOf<typeof table>['resources'][number]['configs'][number]

const set = 0
const remove = 1
const append = 2
const subtract = 3

/**
 * IncrementalAlterConfigs v0 and v1 (KIP-339): sets and deletes single configs of topics, and adds to and takes from
 * lists. All changes of a resource, or none. Brokers' configs are read-only.
 */
export const incrementalAlterConfigs = handler(table, async (request, call) => ({
  throttleTimeMs: 0,
  responses: await Promise.all(
    request.resources.map(async (resource) => {
      const outcome = await alterResource(resource, request.validateOnly, call, (topic) =>
        changed(topic, resource.configs, call),
      )
      const { resourceType, resourceName } = resource
      return {
        errorCode: errorCode(outcome.error),
        errorMessage: outcome.message,
        resourceType,
        resourceName,
      }
    }),
  ),
}))

function changed(
  topic: TopicInfo,
  changes: readonly Change[],
  call: Call,
): Readonly<Record<string, string>> | Outcome {
  const names = changes.map((change) => change.name)
  if (new Set(names).size < names.length)
    return failed('INVALID_REQUEST', 'a config is named twice for one resource')
  const configs: Record<string, string> = { ...topic.configs }
  for (const change of changes) {
    const fault = apply(configs, change, call)
    if (fault !== null) return fault
  }
  return configs
}

function apply(configs: Record<string, string>, change: Change, call: Call): Outcome | null {
  const { name, value, configOperation } = change
  const config = topicConfigs(call.broker).find((each) => each.name === name)
  if (config === undefined) return failed('INVALID_CONFIG', `there is no topic config ${name}`)
  if (configOperation === remove) {
    delete configs[name]
    return null
  }
  if (value === null) return failed('INVALID_REQUEST', `${name} has no value`)
  if (configOperation === set) {
    configs[name] = value
    return null
  }
  if (configOperation !== append && configOperation !== subtract)
    return failed('INVALID_REQUEST', `there is no operation ${configOperation}`)
  if (config.type !== 'list') return failed('INVALID_CONFIG', `${name} is no list`)
  const items = listItems(configs[name] ?? config.fallback)
  const named = listItems(value)
  const next =
    configOperation === append
      ? [...items, ...named.filter((item) => !items.includes(item))]
      : items.filter((item) => !named.includes(item))
  configs[name] = next.join(',')
  return null
}
