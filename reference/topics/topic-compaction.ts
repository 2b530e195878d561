import type { CompactionStatus } from './compaction/types.js'
import type { PartitionLog } from './types.js'

/** Compacts a topic when a tool asks for it. A broker that has none refuses. */
export interface TopicCompaction {
  /** Begins in the background. @returns false when one is under way. */
  start(partition: PartitionLog): boolean
  status(partition: PartitionLog): CompactionStatus
}

export const topicCompaction: TopicCompaction = {
  start: ({ compaction }) => compaction?.start() ?? false,
  status: ({ compaction }) => compaction?.status ?? { status: 'NOT_RUN', lastError: '' },
}
