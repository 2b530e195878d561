import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MalformedError } from '../../base/malformed.js'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../wire/frames.js'
import { SampleValues } from '../wire/sample-values.js'
import type { Api } from '../wire/schema.js'
import { allMessages, apiVersions, fetch, findCoordinator, metadata, produce } from './index.js'

for (const api of allMessages) {
  test(`${api.name} comes back as it was written, in every version`, () => {
    const samples = new SampleValues(api.key + 1)
    for (let version = api.versions[0]; version <= api.versions[1]; version++)
      for (let round = 0; round < 8; round++) {
        roundTripRequest(api, version, samples)
        roundTripResponse(api, version, samples)
      }
  })

  test(`${api.name}: a frame cut anywhere is malformed, and what follows one is passed over`, () => {
    const samples = new SampleValues(api.key + 1)
    for (let version = api.versions[0]; version <= api.versions[1]; version++) {
      const { written, read } = samples.struct(api.request, version)
      const frame = requestFrame(api, version, written)
      const step = Math.max(1, Math.floor(frame.length / 50))
      for (let length = 0; length < frame.length; length += step)
        assert.throws(() => decodeRequest(frame.subarray(0, length), api), MalformedError)
      const longer = Buffer.concat([frame, Buffer.from([0])])
      assert.deepEqual(decodeRequest(longer, api).body, read)
    }
  })
}

function requestFrame(api: Api, version: number, body: Record<string, unknown>): Buffer {
  const header = { apiVersion: version, correlationId: 77, clientId: 'tester' }
  return withoutLength(encodeRequest(api, header, body))
}

function roundTripRequest(api: Api, version: number, samples: SampleValues): void {
  const { written, read } = samples.struct(api.request, version)
  const decoded = decodeRequest(requestFrame(api, version, written), api)
  assert.deepEqual(decoded.body, read)
  assert.equal(decoded.correlationId, 77)
  assert.equal(decoded.clientId, 'tester')
}

function roundTripResponse(api: Api, version: number, samples: SampleValues): void {
  const { written, read } = samples.struct(api.response, version)
  const frame = withoutLength(encodeResponse(api, version, 78, written))
  assert.deepEqual(decodeResponse(frame, api, version), { correlationId: 78, body: read })
}

function withoutLength(pieces: readonly Buffer[]): Buffer {
  const frame = Buffer.concat(pieces)
  assert.equal(frame.readInt32BE(0), frame.length - 4)
  return frame.subarray(4)
}

test('a request as the protocol guide lays it out: ApiVersions v3', () => {
  const frame = hex('0012 0003 0000002a 0003 616263 00 05 6b63 6174 02 31 00')
  const request = decodeRequest(frame, apiVersions)
  assert.deepEqual(request.body, { clientSoftwareName: 'kcat', clientSoftwareVersion: '1' })
  assert.equal(request.correlationId, 42)
  assert.equal(request.clientId, 'abc')
})

test('a response as the protocol guide lays it out: ApiVersions v3 has the old header and new arrays', () => {
  const body = { errorCode: 0, apiKeys: [{ apiKey: 3, minVersion: 0, maxVersion: 12 }] }
  const frame = withoutLength(encodeResponse(apiVersions, 3, 42, body))
  assert.deepEqual(frame, hex('0000002a 0000 02 0003 0000 000c 00 00000000 00'))
})

test('Metadata v1 asks for all topics by a null array, v9 by a compact one', () => {
  assert.equal(decodeRequest(hex('0003 0001 00000001 ffff ffffffff'), metadata).body.topics, null)
  assert.equal(decodeRequest(hex('0003 0009 00000001 ffff 00 00 01 00 00 00'), metadata).body.topics, null)
})

test('Produce v2 and v9, byte by byte', () => {
  const v2 = decodeRequest(
    hex('0000 0002 00000001 ffff ffff 000003e8 00000001 0001 74 00000001 00000007 00000002 beef'),
    produce,
  )
  const partitionData = [{ index: 7, records: hex('beef') }]
  assert.deepEqual(v2.body, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 't', partitionData }],
  })
  const v9 = decodeRequest(
    hex('0000 0009 00000001 ffff 00 00 ffff 000003e8 02 02 74 02 00000007 03 beef 00 00 00'),
    produce,
  )
  assert.deepEqual(v9.body, v2.body)
})

test('Fetch v12 answers its tagged fields only when they are set', () => {
  const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 5n, records: null }
  const plain = encodeResponse(fetch, 12, 1, { responses: [{ topic: 't', partitions: [partition] }] })
  const tail = '02 00000000 0000 0000000000000005 ffffffffffffffff ffffffffffffffff 00 ffffffff 00 00 00 00'
  assert.deepEqual(withoutLength(plain), hex(`00000001 00 00000000 0000 00000000 02 02 74 ${tail}`))
  const moved = { ...partition, currentLeader: { leaderId: 2, leaderEpoch: 9 } }
  const frame = withoutLength(
    encodeResponse(fetch, 12, 1, { responses: [{ topic: 't', partitions: [moved] }] }),
  )
  assert.equal(frame.includes(hex('01 01 09 00000002 00000009 00')), true)
})

test('unknown tagged fields are stepped over', () => {
  const frame = hex('000a 0004 00000001 ffff 01 05 02 aabb 00 02 02 67 01 63 01 00')
  assert.deepEqual(decodeRequest(frame, findCoordinator).body, {
    key: '',
    keyType: 0,
    coordinatorKeys: ['g'],
  })
})

test('a count or a length that the frame cannot hold is refused before memory is taken', () => {
  assert.throws(() => decodeRequest(hex('0003 0001 00000001 ffff 7fffffff'), metadata), MalformedError)
  assert.throws(() => decodeRequest(hex('0003 0001 00000001 ffff fffffff0'), metadata), MalformedError)
  assert.throws(
    () => decodeRequest(hex('0003 0009 00000001 ffff 00 ffffffff0f 01 00 00 00'), metadata),
    MalformedError,
  )
  assert.throws(() => decodeRequest(hex('0003 0001 00000001 7fff 00'), metadata), MalformedError)
  assert.throws(() => decodeRequest(hex('0003 0063 00000001 ffff 00000000'), metadata), MalformedError)
})

test('20,000 damaged frames are read or malformed, and nothing else', () => {
  const samples = new SampleValues(42)
  let malformed = 0
  for (let round = 0; round < 20_000; round++) {
    const api = allMessages[samples.below(allMessages.length)] ?? produce
    const version = api.versions[0] + samples.below(api.versions[1] - api.versions[0] + 1)
    const frame = damaged(round % 50 === 0 ? freshFrame(api, version, samples) : lastFrame.bytes, samples)
    try {
      decodeRequest(frame, lastFrame.api)
    } catch (error) {
      assert.equal(error instanceof MalformedError, true, String(error))
      malformed++
    }
  }
  assert.ok(malformed > 5_000)
})

let lastFrame: { api: Api; bytes: Buffer }

function freshFrame(api: Api, version: number, samples: SampleValues): Buffer {
  lastFrame = { api, bytes: requestFrame(api, version, samples.struct(api.request, version).written) }
  return lastFrame.bytes
}

function damaged(frame: Buffer, samples: SampleValues): Buffer {
  const copy = Buffer.from(frame)
  for (let count = samples.below(4); count >= 0; count--)
    copy.writeUInt8(samples.below(256), samples.below(copy.length))
  return copy.subarray(0, samples.below(4) === 0 ? samples.below(copy.length) : copy.length)
}

test('a frame cannot become more objects than a message may have', () => {
  const names = Buffer.alloc(2_000_100 * 2, Buffer.from([1, 0]))
  const frame = Buffer.concat([hex('0003 0009 00000001 ffff 00 e1897a'), names])
  assert.throws(() => decodeRequest(frame, metadata), /more than 1000000 array elements/)
})

test('null is refused where the version has none', () => {
  assert.throws(() => decodeRequest(hex('0003 0000 00000001 ffff ffffffff'), metadata), MalformedError)
  const body = { topics: [{ name: null, topicId: 'A'.repeat(22) }] }
  assert.throws(
    () => encodeRequest(metadata, { apiVersion: 9, correlationId: 1, clientId: null }, body),
    /name/,
  )
})

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}
