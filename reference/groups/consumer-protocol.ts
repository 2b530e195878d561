import type { TopicPartition } from './offset-store.js'

/**
 * The topics in a consumer's JoinGroup metadata (Kafka's consumer protocol, all versions: INT16 version, then an array of
 * topic names). The rest of it is none of the broker's business. Metadata that is not of that form names no topics.
 */
export function subscribedTopics(metadata: Buffer): readonly string[] {
  const reader = new ProtocolReader(metadata)
  return reader.array(() => reader.text()) ?? []
}

/**
 * The partitions in a consumer's SyncGroup assignment (INT16 version, then an array of topics, each with an array of INT32
 * partitions). An assignment that is not of that form has none.
 */
export function assignedPartitions(assignment: Buffer): readonly TopicPartition[] {
  const reader = new ProtocolReader(assignment)
  const topics = reader.array(() => {
    const topic = reader.text()
    const partitions = reader.array(() => reader.int32())
    return topic === undefined || partitions === undefined
      ? undefined
      : partitions.map((partition) => ({ topic, partition }))
  })
  return topics?.flat() ?? []
}

/** Reads on from after the version; what is missing or cut off is undefined. */
class ProtocolReader {
  readonly #bytes: Buffer
  #at = 2

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int32(): number | undefined {
    if (this.#at + 4 > this.#bytes.length) return undefined
    const value = this.#bytes.readInt32BE(this.#at)
    this.#at += 4
    return value
  }

  text(): string | undefined {
    if (this.#at + 2 > this.#bytes.length) return undefined
    const start = this.#at + 2
    const end = start + this.#bytes.readInt16BE(this.#at)
    if (end < start || end > this.#bytes.length) return undefined
    this.#at = end
    return this.#bytes.toString('utf8', start, end)
  }

  array<Element>(readElement: () => Element | undefined): Element[] | undefined {
    const count = this.int32()
    if (count === undefined) return undefined
    const elements: Element[] = []
    for (let i = 0; i < count; i++) {
      const element = readElement()
      if (element === undefined) return undefined
      elements.push(element)
    }
    return elements
  }
}
