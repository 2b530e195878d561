import type { Clock } from '../base/clock.js'
import type { MetadataStore } from '../storage/types.js'
import type { TopicCatalog } from '../topics/types.js'
import type { PulsarContext } from './context.js'

/** Values in memory: what is stored durably is the store's own test. */
export function memoryMetadata(): MetadataStore {
  const values = new Map<string, Buffer>()
  const write = (key: string, value: Buffer | undefined) => {
    if (value === undefined) values.delete(key)
    else values.set(key, value)
  }
  return {
    get: async (key) => values.get(key),
    list: async (prefix) =>
      [...values].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
    put: async (key, value) => write(key, value),
    delete: async (key) => write(key, undefined),
    putAll: async (pairs) => {
      for (const [key, value] of pairs) write(key, value)
    },
  }
}

/** For tests: a context over a catalog, whose warnings are kept. */
export function testContext(
  catalog: TopicCatalog,
  clock: Clock,
): PulsarContext & { readonly warnings: unknown[] } {
  const warnings: unknown[] = []
  return {
    catalog,
    clock,
    warnings,
    log: { debug() {}, info() {}, error() {}, warn: (fields: unknown) => warnings.push(fields) },
    metadata: memoryMetadata(),
    config: {
      clusterName: 'test',
      maxMessageSize: 100_000,
      allowAutoTopicCreation: true,
      allowAutoTopicCreationType: 'non-partitioned',
      defaultNumPartitions: 1,
      keepAliveIntervalSeconds: 30,
    },
  }
}
