import { MalformedError } from '../../base/malformed.js'
import type { StoredConsumerGroup } from '../consumer/stored.js'
import type { GroupKey } from '../group-key.js'
import type { GroupChange, StoredGroup, StoredMember } from '../group-store.js'
import type { CommittedOffset } from '../offset-store.js'
import { encodeConsumerGroup } from './consumer-group-format.js'
import { FieldReader } from './field-reader.js'
import { FieldWriter } from './field-writer.js'

/*
 * Kafka's own binary form of the records of its offsets topic, as README.md of this folder has it. A key starts with a
 * version that says what the record is about; a value starts with the version of its own layout.
 */

/** `consumerGroup` is ours, far from those that Kafka may give: it has all of a group in one, which changes as one. */
const keyVersion = { oldOffset: 0, offset: 1, group: 2, consumerGroup: 10_000 } as const
const valueVersionMax = 4
/** The first whose lengths are compact, and that has tagged fields. */
const flexibleSince = 4
const topicIdTag = 0
const topicIdBytes = 16
const noExpiry = -1
/**
 * Ours: the protocols of a member beside the group's, which Kafka does not keep. Far from the tags that Kafka may give;
 * readers step over tags that they do not know (KIP-915).
 */
const protocolsTag = 10_000
/** Ours as well: when a commit is to be dropped whose client asked for a time of its own. Kafka has it in version 1 only. */
const expiryTag = 10_001

/** Without the texts, in plain ASCII; more is made room for. */
const offsetKeyBytes = 2 + 2 + 2 + 4
const offsetValueBytes = 2 + 8 + 4 + 2 + 8 + 3 + topicIdBytes

/** What a record is about. `other`: of a kind that later brokers write. */
export type RecordKey =
  | { readonly type: 'offset'; readonly group: GroupKey; readonly topic: string; readonly partition: number }
  | { readonly type: 'group' | 'consumerGroup'; readonly group: GroupKey }
  | { readonly type: 'other'; readonly version: number }

/** One record, as given to the log. A null value removes what the key names. */
export interface OffsetsRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** The version of a key, or −1 when it is too short to have one. */
export const keyVersionAt = (buffer: Buffer, start: number, end: number): number =>
  end - start < 2 ? -1 : buffer.readInt16BE(start)

export const isOffsetKey = (version: number): boolean =>
  version === keyVersion.offset || version === keyVersion.oldOffset
export const isGroupKey = (version: number): boolean => version === keyVersion.group
export const isConsumerGroupKey = (version: number): boolean => version === keyVersion.consumerGroup

/** @throws MalformedError */
export function decodeKey(key: Buffer): RecordKey {
  const reader = new FieldReader(key)
  const version = reader.int16()
  if (isGroupKey(version) || isConsumerGroupKey(version)) {
    const group = reader.string()
    reader.done()
    return { type: isGroupKey(version) ? 'group' : 'consumerGroup', group }
  }
  if (!isOffsetKey(version)) return { type: 'other', version }
  const decoded = {
    type: 'offset',
    group: reader.string(),
    topic: reader.string(),
    partition: reader.int32(),
  } as const
  reader.done()
  return decoded
}

const encodeOffsetKey = (group: GroupKey, topic: string, partition: number): Buffer =>
  new FieldWriter(offsetKeyBytes + group.length + topic.length)
    .int16(keyVersion.offset)
    .string(group)
    .string(topic)
    .int32(partition)
    .finish()

const encodeGroupKey = (version: number, group: GroupKey): Buffer =>
  new FieldWriter(4 + group.length).int16(version).string(group).finish()

/** The record that says a change. */
export function recordOf(change: GroupChange): OffsetsRecord {
  if (change.type === 'group') {
    const { key, group } = change
    return {
      key: encodeGroupKey(keyVersion.group, key),
      value: group === undefined ? null : encodeGroup(group),
    }
  }
  if (change.type === 'consumerGroup') return consumerGroupRecord(change.key, change.group)
  const { key, topic, partition, offset } = change
  return {
    key: encodeOffsetKey(key, topic, partition),
    value: offset === undefined ? null : encodeOffset(offset),
  }
}

const consumerGroupRecord = (key: GroupKey, group: StoredConsumerGroup | undefined): OffsetsRecord => ({
  key: encodeGroupKey(keyVersion.consumerGroup, key),
  value: group === undefined ? null : encodeConsumerGroup(group),
})

/** Version 4, the first that has the topic's id. */
function encodeOffset(committed: CommittedOffset): Buffer {
  const topicId = Buffer.from(committed.topicId, 'base64url')
  if (topicId.length !== topicIdBytes) throw new Error(`"${committed.topicId}" is not a topic id`)
  const { expireTimestampMs } = committed
  const writer = new FieldWriter(offsetValueBytes + committed.metadata.length)
    .int16(4)
    .int64(committed.offset)
    .int32(committed.leaderEpoch)
    .compactString(committed.metadata)
    .int64(BigInt(committed.commitTimestampMs))
  if (expireTimestampMs === undefined) return writer.tagged([[topicIdTag, topicId]]).finish()
  const expiry = new FieldWriter(8).int64(BigInt(expireTimestampMs)).finish()
  const fields = [[topicIdTag, topicId] as const, [expiryTag, expiry] as const]
  return writer.tagged(fields).finish()
}

/**
 * Checks that a value is a commit, without making anything of it: most that are read at a start are superseded.
 * @returns what is wrong, or undefined
 */
export function offsetValueFault(buffer: Buffer, start: number, end: number): string | undefined {
  if (end - start < 2) return 'a value without a version'
  const version = buffer.readInt16BE(start)
  if (version < 0 || version > valueVersionMax) return `value version ${version} is not known`
  const metadataAt = start + 2 + 8 + (version >= 3 ? 4 : 0)
  if (metadataAt + 2 > end) return 'the value ends in the middle of a field'
  if (version >= flexibleSince) return flexibleFault(buffer, metadataAt, end)
  const metadataBytes = buffer.readInt16BE(metadataAt)
  const expected = metadataAt + 2 + metadataBytes + 8 + (version === 1 ? 8 : 0)
  return metadataBytes < 0 || expected !== end ? 'the value has another length than its fields' : undefined
}

/** The usual form is seen at a glance; another is read with care. */
function flexibleFault(buffer: Buffer, metadataAt: number, end: number): string | undefined {
  const length = buffer[metadataAt] ?? 0
  const tagsAt = metadataAt + length + 8
  const isUsual =
    length > 0 &&
    length < 0x80 &&
    tagsAt + 3 + topicIdBytes === end &&
    buffer[tagsAt] === 1 &&
    buffer[tagsAt + 1] === topicIdTag &&
    buffer[tagsAt + 2] === topicIdBytes
  if (isUsual) return undefined
  try {
    const reader = new FieldReader(buffer, metadataAt, end)
    reader.flexible = true
    reader.string()
    reader.int64()
    reader.tagged()
    reader.done()
    return undefined
  } catch (error) {
    if (error instanceof MalformedError) return error.message
    throw error
  }
}

/** What a committed value says, with the place that its key names. @throws MalformedError */
export function decodeOffset(value: Buffer, topic: string, partition: number): CommittedOffset {
  const reader = new FieldReader(value)
  const version = readVersion(reader)
  const offset = reader.int64()
  const leaderEpoch = version >= 3 ? reader.int32() : -1
  const metadata = reader.string()
  const commitTimestampMs = reader.safeInt64()
  let expireTimestampMs = version === 1 ? reader.safeInt64() : noExpiry
  let topicId = Buffer.alloc(topicIdBytes)
  reader.tagged((tag, field) => {
    if (tag === topicIdTag) topicId = Buffer.from(field.rest())
    if (tag === expiryTag) expireTimestampMs = field.safeInt64()
  })
  reader.done()
  return {
    topic,
    topicId: topicId.toString('base64url'),
    partition,
    offset,
    leaderEpoch,
    metadata,
    commitTimestampMs,
    ...(expireTimestampMs === noExpiry ? {} : { expireTimestampMs }),
  }
}

function readVersion(reader: FieldReader): number {
  const version = reader.int16()
  if (version < 0 || version > valueVersionMax)
    throw new MalformedError(`value version ${version} is not known`)
  reader.flexible = version >= flexibleSince
  return version
}

function encodeGroup(group: StoredGroup): Buffer {
  const writer = new FieldWriter(256 + 512 * group.members.length)
    .int16(4)
    .compactString(group.protocolType)
    .int32(group.generationId)
    .compactString(group.protocolName)
    .compactString(group.leaderId)
    .int64(BigInt(group.stateTimestampMs))
  writer.compactArray(group.members, (member) => writeMember(writer, member, group.protocolName))
  return writer.tagged([]).finish()
}

function writeMember(writer: FieldWriter, member: StoredMember, protocolName: string | null): void {
  const { protocols } = member
  const chosen = protocols.find(({ name }) => name === protocolName)
  const isOnly = protocols.length === 1 && chosen !== undefined
  writer
    .compactString(member.memberId)
    .compactString(member.groupInstanceId)
    .compactString(member.clientId)
    .compactString(member.clientHost)
    .int32(member.rebalanceTimeoutMs)
    .int32(member.sessionTimeoutMs)
    .compactBytes(chosen?.metadata ?? Buffer.alloc(0))
    .compactBytes(member.assignment)
    .tagged(isOnly ? [] : [[protocolsTag, encodeProtocols(protocols)]])
}

function encodeProtocols(protocols: StoredMember['protocols']): Buffer {
  const writer = new FieldWriter(256)
  return writer
    .compactArray(protocols, ({ name, metadata }) =>
      writer.compactString(name).compactBytes(metadata).tagged([]),
    )
    .finish()
}

/** A group's value of any version that Kafka has written. @throws MalformedError */
export function decodeGroup(value: Buffer): StoredGroup {
  const reader = new FieldReader(value)
  const version = readVersion(reader)
  const protocolType = reader.string()
  const generationId = reader.int32()
  const protocolName = reader.nullableString()
  const leaderId = reader.nullableString()
  const stateTimestampMs = version >= 2 ? reader.safeInt64() : -1
  const members: StoredMember[] = []
  for (let left = reader.arrayLength(); left > 0; left--)
    members.push(decodeMember(reader, version, protocolName))
  reader.tagged()
  reader.done()
  return { protocolType, protocolName, generationId, leaderId, stateTimestampMs, members }
}

function decodeMember(reader: FieldReader, version: number, protocolName: string | null): StoredMember {
  const memberId = reader.string()
  const groupInstanceId = version >= 3 ? reader.nullableString() : null
  const clientId = reader.string()
  const clientHost = reader.string()
  const rebalanceTimeoutMs = version >= 1 ? reader.int32() : -1
  const sessionTimeoutMs = reader.int32()
  const metadata = reader.bytes()
  const assignment = reader.bytes()
  let protocols: StoredMember['protocols'] = protocolName === null ? [] : [{ name: protocolName, metadata }]
  reader.tagged((tag, field) => {
    if (tag === protocolsTag) protocols = decodeProtocols(field)
  })
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    sessionTimeoutMs,
    // Version 0 had one time-out for both.
    rebalanceTimeoutMs: version >= 1 ? rebalanceTimeoutMs : sessionTimeoutMs,
    protocols,
    assignment,
  }
}

function decodeProtocols(field: FieldReader): StoredMember['protocols'] {
  const protocols: { name: string; metadata: Buffer }[] = []
  for (let left = field.arrayLength(); left > 0; left--) {
    protocols.push({ name: field.string(), metadata: field.bytes() })
    field.tagged()
  }
  return protocols
}
