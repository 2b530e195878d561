import type { PartitionIndex } from '../base/brand.js'
import type { TopicName } from './types.js'

/**
 * Which broker serves a partition: the one answer that Kafka's metadata and Pulsar's look-up both give (register TL-1).
 * Several brokers, by hash bundles of namespaces, are left out for now: one broker owns all.
 */
export interface Ownership {
  /** The node id of the owner. A partition without one gets one by being asked for (TL-2). */
  ownerOf(topic: TopicName, index: PartitionIndex): number
}

export const singleOwner = (nodeId: number): Ownership => ({ ownerOf: () => nodeId })
