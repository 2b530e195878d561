import { effectivePolicies } from '../topics/policies.js'
import type { NamespaceCatalog, TopicInfo } from '../topics/types.js'

/** What policies of a namespace or topic may bound, by their names there. */
export type LimitPolicy =
  | 'maxProducersPerTopic'
  | 'maxConsumersPerTopic'
  | 'maxConsumersPerSubscription'
  | 'maxSubscriptionsPerTopic'

/** The bound of a topic, or of one of its partitions; none when it is not set, or 0. */
export function limitOf(
  tenants: NamespaceCatalog,
  { name, policies }: Pick<TopicInfo, 'name' | 'policies'>,
  policy: LimitPolicy,
): number {
  const { kept } = effectivePolicies(tenants.policies(name.tenant, name.namespace), policies)
  const limit = kept?.[policy]
  return typeof limit === 'number' && limit > 0 ? limit : Number.POSITIVE_INFINITY
}
