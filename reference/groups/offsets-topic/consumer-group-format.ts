import { MalformedError } from '../../base/malformed.js'
import type { TopicSlots } from '../consumer/slots.js'
import { memberPhases, type StoredConsumerGroup, type StoredConsumerMember } from '../consumer/stored.js'
import { FieldReader } from './field-reader.js'
import { FieldWriter } from './field-writer.js'

/** The value of a group of the next-generation protocol, as README.md of this folder has it. The form is ours. */

const versionWritten = 0
const notEmpty = -1

export function encodeConsumerGroup(group: StoredConsumerGroup): Buffer {
  const writer = new FieldWriter(256 + 512 * group.members.length)
    .int16(versionWritten)
    .int32(group.epoch)
    .compactString(group.assignor)
    .int64(BigInt(group.emptySinceMs ?? notEmpty))
  writer.compactArray(group.topics, ({ topicId, partitions }) =>
    writer.compactString(topicId).int32(partitions).tagged([]),
  )
  writer.compactArray(group.members, (member) => writeMember(writer, member))
  return writer.tagged([]).finish()
}

function writeMember(writer: FieldWriter, member: StoredConsumerMember): void {
  writer
    .compactString(member.memberId)
    .compactString(member.instanceId)
    .compactString(member.rackId)
    .compactString(member.clientId)
    .compactString(member.clientHost)
    .int32(member.rebalanceTimeoutMs)
    .compactArray(member.topicNames, (name) => writer.compactString(name))
    .compactString(member.topicRegex)
    .compactString(member.assignor)
    .int32(member.memberEpoch)
    .int32(member.previousEpoch)
    .int16(memberPhases.indexOf(member.phase))
  for (const slots of [member.assigned, member.revoking, member.target]) writeSlots(writer, slots)
  writer.tagged([])
}

function writeSlots(writer: FieldWriter, topics: readonly TopicSlots[]): void {
  writer.compactArray(topics, ({ topicId, partitions }) =>
    writer
      .compactString(topicId)
      .compactArray(partitions, (partition) => writer.int32(partition))
      .tagged([]),
  )
}

/** @throws MalformedError */
export function decodeConsumerGroup(value: Buffer): StoredConsumerGroup {
  const reader = new FieldReader(value)
  const version = reader.int16()
  if (version !== versionWritten) throw new MalformedError(`value version ${version} is not known`)
  reader.flexible = true
  const epoch = reader.int32()
  const assignor = reader.string()
  const emptySinceMs = reader.safeInt64()
  const topics = readArray(reader, () => ({ topicId: reader.string(), partitions: reader.int32() }), true)
  const members = readArray(reader, () => readMember(reader), true)
  reader.tagged()
  reader.done()
  return {
    epoch,
    assignor,
    emptySinceMs: emptySinceMs === notEmpty ? null : emptySinceMs,
    topics,
    members,
  }
}

/** In the order in which they are written. */
function readMember(reader: FieldReader): StoredConsumerMember {
  return {
    memberId: reader.string(),
    instanceId: reader.nullableString(),
    rackId: reader.nullableString(),
    clientId: reader.string(),
    clientHost: reader.string(),
    rebalanceTimeoutMs: reader.int32(),
    topicNames: readArray(reader, () => reader.string(), false),
    topicRegex: reader.nullableString(),
    assignor: reader.nullableString(),
    memberEpoch: reader.int32(),
    previousEpoch: reader.int32(),
    phase: readPhase(reader),
    assigned: readSlots(reader),
    revoking: readSlots(reader),
    target: readSlots(reader),
  }
}

function readPhase(reader: FieldReader): StoredConsumerMember['phase'] {
  const index = reader.int16()
  const phase = memberPhases[index]
  if (phase === undefined) throw new MalformedError(`there is no phase ${index} of a member`)
  return phase
}

const readSlots = (reader: FieldReader): readonly TopicSlots[] =>
  readArray(
    reader,
    () => ({ topicId: reader.string(), partitions: readArray(reader, () => reader.int32(), false) }),
    true,
  )

function readArray<T>(reader: FieldReader, read: () => T, isTagged: boolean): readonly T[] {
  const elements: T[] = []
  for (let left = reader.arrayLength(); left > 0; left--) {
    elements.push(read())
    if (isTagged) reader.tagged()
  }
  return elements
}
