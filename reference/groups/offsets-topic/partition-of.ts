/** The hash that Java's strings have: of UTF-16 code units, in 32 bits. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return hash
}

const intMin = -(2 ** 31)

/**
 * The partition of the offsets topic that a group's records are in: Kafka's own rule, |hashCode| modulo the number of
 * partitions, over what stands as group in the records' keys.
 */
export function offsetsPartitionOf(group: string, partitions: number): number {
  const hash = javaHashCode(group)
  // The one number that has no positive counterpart; Kafka takes 0.
  return hash === intMin ? 0 : Math.abs(hash) % partitions
}
