import { asPartitionIndex } from '../../base/brand.js'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../base/log.js'
import { fullName } from '../names.js'
import { effectivePolicies } from '../policies.js'
import { isRefusal, type TopicCatalog, type TopicInfo } from '../types.js'

export interface CompactionChecksOptions {
  readonly catalog: TopicCatalog
  readonly clock: Clock
  readonly log: Log
  /** Kafka's log.cleaner.backoff.ms. */
  readonly checkMs: number
}

/**
 * Now and then begins the compactions that are due: of topics whose `cleanup.policy` has `compact`, and of those of namespaces
 * with a `compactionThreshold`. @returns how to end it
 */
export function startCompactionChecks(options: CompactionChecksOptions): () => void {
  const { clock, checkMs } = options
  let isEnded = false
  let cancel = (): void => {}
  const schedule = (): void => {
    if (isEnded) return
    cancel = clock.after(checkMs, () => {
      void check(options, () => isEnded).finally(schedule)
    })
  }
  schedule()
  return () => {
    isEnded = true
    cancel()
  }
}

async function check(options: CompactionChecksOptions, isEnded: () => boolean): Promise<void> {
  const { catalog, log } = options
  for (const topic of topicsOf(catalog)) {
    if (isEnded()) return
    try {
      await checkTopic(catalog, topic)
    } catch (error) {
      log.warn({ topic: fullName(topic.name), err: error }, 'whether to compact a topic could not be told')
    }
  }
}

/** System topics are compacted by their owners. */
function topicsOf(catalog: TopicCatalog): readonly TopicInfo[] {
  const { tenants } = catalog
  const inNamespaces = tenants
    .listTenants()
    .flatMap((tenant) =>
      tenants.listNamespaces(tenant).flatMap((namespace) => catalog.list(tenant, namespace)),
    )
  return inNamespaces.filter(({ internal }) => !internal)
}

async function checkTopic(catalog: TopicCatalog, topic: TopicInfo): Promise<void> {
  const thresholdBytes = thresholdOf(catalog, topic)
  const isCompacted = topic.configs['cleanup.policy']?.includes('compact') === true
  if (!isCompacted && thresholdBytes === 0) return
  for (let index = 0; index < Math.max(1, topic.partitions); index++) {
    const log = await catalog.partition(topic, asPartitionIndex(index))
    if (!isRefusal(log) && log.compaction?.isDue(thresholdBytes) === true) log.compaction.start()
  }
}

/** Bytes; 0: none is set. */
function thresholdOf({ tenants }: TopicCatalog, { name, policies }: TopicInfo): number {
  const { kept } = effectivePolicies(tenants.policies(name.tenant, name.namespace), policies)
  const threshold = kept?.compactionThreshold
  return typeof threshold === 'number' && threshold > 0 ? threshold : 0
}
