import type { PartitionLog } from './types.js'

/** As Pulsar's tools are told it. */
export interface CompactionStatus {
  readonly status: 'NOT_RUN' | 'RUNNING' | 'SUCCESS' | 'ERROR'
  /** Why the last one failed; empty when it did not. */
  readonly lastError: string
}

/** Compacts a topic when a tool asks for it. A broker that has none refuses. */
export interface TopicCompaction {
  /** Begins in the background. @returns false when one is under way. */
  start(partition: PartitionLog): boolean
  status(partition: PartitionLog): CompactionStatus
}
