import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MalformedError } from '../../base/malformed.js'
import { checksumIsRight, frameHeadersAndPayload, readHeadersAndPayload } from './entry-checksum.js'
import { readMessageMetadata, writeBatchMetadata } from './message-metadata.js'

test('what is written of a batch is read back', () => {
  const batch = {
    producerName: 'prödu-cer',
    sequenceId: 2n ** 63n,
    highestSequenceId: 2n ** 64n - 1n,
    publishTimeMs: 1_700_000_000_123,
    properties: [
      ['a', ''],
      ['ключ', 'v'.repeat(300)],
    ] as const,
    compression: 3,
    uncompressedBytes: 2 ** 31,
    messagesInBatch: 1,
    markerType: 9001,
  }
  const bytes = writeBatchMetadata(batch)
  assert.deepEqual(readMessageMetadata(bytes, 0, bytes.length), batch)
})

/** Bytes laid out by hand: tag, then value. */
const hex = (...fields: string[]): Buffer => Buffer.from(fields.join('').replaceAll(' ', ''), 'hex')

test('fields that only clients write are read', () => {
  const bytes = hex(
    '0a 01 70', // producer_name
    '10 ff01', // sequence_id 255
    '18 05', // publish_time
    '2a 02 7573', // replicated_from
    '32 01 6b', // partition_key
    '60 07', // event_time
    '6a 0b 0a016e 120101 1a03 0a0161', // encryption key, its metadata
    '72 01 78', // encryption_algo
    '7a 01 09', // encryption_param
    '8201 02 0001', // schema_version
    '8801 01', // partition_key_b64_encoded
    '9201 01 ff', // ordering_key
    '9801 08', // deliver_at_time
    'c801 01', // null_value
    'd201 01 75', // uuid
    'd801 03', // num_chunks_from_msg
    'e001 64', // total_chunk_msg_size
    'e801 02', // chunk_id
    'f001 01', // null_partition_key
    'f907 0102030405060708', // unknown, 64 bits
    'fd07 01020304', // unknown, 32 bits
  )
  assert.deepEqual(readMessageMetadata(bytes, 0, bytes.length), {
    producerName: 'p',
    sequenceId: 255n,
    publishTimeMs: 5,
    properties: [],
    compression: 0,
    replicatedFrom: 'us',
    partitionKey: 'k',
    eventTimeMs: 7,
    encryption: {
      keys: [{ name: 'n', value: Buffer.from([1]), metadata: [['a', '']] }],
      algorithm: 'x',
      parameter: Buffer.from([9]),
    },
    schemaVersion: Buffer.from([0, 1]),
    partitionKeyIsBase64: true,
    orderingKey: Buffer.from([255]),
    deliverAtTimeMs: 8,
    nullValue: true,
    nullPartitionKey: true,
    chunk: { uuid: 'u', chunkCount: 3, totalBytes: 100, chunkId: 2 },
  })
})

test('a frame has the checksum of all that follows it, and damage shows', () => {
  const metadata = writeBatchMetadata({
    producerName: 'p',
    sequenceId: 0n,
    publishTimeMs: 1,
    properties: [],
    compression: 0,
    messagesInBatch: 1,
  })
  const data = Buffer.concat(frameHeadersAndPayload(metadata, [Buffer.from('pay'), Buffer.from('load')]))
  assert.equal(checksumIsRight(data), true)
  const { payloadStart } = readHeadersAndPayload(data)
  assert.equal(data.toString('utf8', payloadStart), 'payload')
  assert.equal(readHeadersAndPayload(data.subarray(6)).payloadStart, payloadStart - 6)
  for (let at = 6; at < data.length; at++) {
    const damaged = Buffer.from(data)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    assert.equal(checksumIsRight(damaged), false)
  }
})

test('metadata that runs beyond its bytes is malformed', () => {
  for (const bytes of ['', '00000002', '0000000a0a', '0e01000000000000', '0000000232ff', '000000027f01'])
    assert.throws(() => readHeadersAndPayload(hex(bytes)), MalformedError, bytes)
})
