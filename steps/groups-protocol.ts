import { int16, int32, kafkaString } from '../matrix/kafka-bytes.js'

/*
 * Kafka's consumer protocol: the bytes that members of a group hand each other through the coordinator. Version 0 of
 * both: INT16 version, then arrays of names (INT16 length) and of numbers, then user data of −1 (none).
 */

export interface Partition {
  readonly topic: string
  readonly partition: number
}

/** What a member subscribes to. Base64. */
export function encodeSubscription(topics: readonly string[]): string {
  return Buffer.concat([int16(0), int32(topics.length), ...topics.map(kafkaString), int32(-1)]).toString(
    'base64',
  )
}

/** What a leader gives a member. Base64. */
export function encodeAssignment(partitions: readonly Partition[]): string {
  const topics = [...new Set(partitions.map(({ topic }) => topic))]
  const parts = topics.map((topic) => {
    const numbers = partitions.filter((each) => each.topic === topic).map(({ partition }) => int32(partition))
    return Buffer.concat([kafkaString(topic), int32(numbers.length), ...numbers])
  })
  return Buffer.concat([int16(0), int32(topics.length), ...parts, int32(-1)]).toString('base64')
}

/** @param assignment base64, as `encodeAssignment` gives it */
export function decodeAssignment(assignment: string): Partition[] {
  const bytes = Buffer.from(assignment, 'base64')
  const partitions: Partition[] = []
  let at = 6
  for (let topics = bytes.readInt32BE(2); topics > 0; topics--) {
    const length = bytes.readInt16BE(at)
    const topic = bytes.toString('utf8', at + 2, at + 2 + length)
    at += 2 + length
    const count = bytes.readInt32BE(at)
    at += 4
    for (let number = 0; number < count; number++, at += 4) {
      partitions.push({ topic, partition: bytes.readInt32BE(at) })
    }
  }
  return partitions
}

/** Kafka's place of a group among the partitions of its offsets topic: the amount of Java's hash of its name. */
export function partitionOfGroup(group: string, partitions: number): number {
  let hash = 0
  for (let at = 0; at < group.length; at++) hash = (Math.imul(hash, 31) + group.charCodeAt(at)) | 0
  // The least number has no counterpart; Kafka takes 0 for it.
  return hash === -(2 ** 31) ? 0 : Math.abs(hash) % partitions
}
