/**
 * The topics in a consumer's JoinGroup metadata (Kafka's consumer protocol, all versions: INT16 version, then an array of
 * topic names). The rest of it is none of the broker's business. Metadata that is not of that form names no topics.
 */
export function subscribedTopics(metadata: Buffer): readonly string[] {
  const topics: string[] = []
  if (metadata.length < 6) return topics
  const count = metadata.readInt32BE(2)
  let at = 6
  for (let i = 0; i < count; i++) {
    if (at + 2 > metadata.length) return []
    const length = metadata.readInt16BE(at)
    at += 2
    if (length < 0 || at + length > metadata.length) return []
    topics.push(metadata.toString('utf8', at, at + length))
    at += length
  }
  return topics
}
