import { offsetsTopicAnswer } from '../matrix/targets/vocabulary.js'
import type { ConformanceWorld } from './world.js'

export interface OffsetsTopic {
  /** Pulsar's full name. */
  readonly topic: string
  readonly format: 'kafka' | null
  readonly group: 'plain' | 'full'
}

/** @throws Unsupported when the profile does not say. */
export function offsetsTopic(world: ConformanceWorld): OffsetsTopic {
  const declared = offsetsTopicAnswer.parse(world.declared('GC-13'))
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
