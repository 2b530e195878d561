import { z } from 'zod'
import type { ConformanceWorld } from './world.js'

/** The profile's answer to GC-13. */
const answer = z.union([
  z.string(),
  z.object({
    topic: z.string(),
    /** Records and partitions are as in Kafka's offsets topic. */
    format: z.literal('kafka').optional(),
    /** How keys name a group: by its id, or by `tenant/namespace/id`. */
    group: z.enum(['plain', 'full']).default('plain'),
  }),
])

export interface OffsetsTopic {
  /** Pulsar's full name. */
  readonly topic: string
  readonly format: 'kafka' | null
  readonly group: 'plain' | 'full'
}

/** @throws Unsupported when the profile does not say. */
export function offsetsTopic(world: ConformanceWorld): OffsetsTopic {
  const declared = answer.parse(world.declared('GC-13'))
  const {
    topic,
    format = null,
    group,
  } = typeof declared === 'string' ? { topic: declared, group: 'plain' as const } : declared
  return { topic: topic.startsWith('persistent://') ? topic : `persistent://${topic}`, format, group }
}

/** A group as the records' keys name it. */
export const groupInKeys = (world: ConformanceWorld, group: string): string =>
  offsetsTopic(world).group === 'full' ? `${world.namespace}/${group}` : group
