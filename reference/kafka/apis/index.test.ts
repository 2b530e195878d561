import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metadata } from '../messages/03-metadata.js'
import { apiVersions } from '../messages/18-api-versions.js'
import { errorName } from '../wire/errors.js'
import { decodeRequest, decodeResponse, encodeResponse } from '../wire/frames.js'
import { SampleValues } from '../wire/sample-values.js'
import type { Api, RequestToWrite } from '../wire/schema.js'
import { FakeBroker, FakeConnection } from './fake-broker.js'
import { findApi, refuseApiVersions } from './index.js'

test('PH-3: ApiVersions lists exactly what is registered, in all its versions', async () => {
  const broker = new FakeBroker()
  for (let version = 0; version <= 4; version++) {
    const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }
    const { errorCode, apiKeys } = await broker.ask(apiVersions, version, software)
    assert.equal(errorCode, 0)
    for (const { apiKey, minVersion, maxVersion } of apiKeys)
      assert.deepEqual(findApi(apiKey)?.versions, [minVersion, maxVersion])
    const keys = Array.from({ length: 200 }, (_, key) => key).filter((key) => findApi(key) !== undefined)
    assert.deepEqual(
      apiKeys.map((each) => each.apiKey),
      keys,
    )
  }
})

test('KIP-511: software names of other characters are refused', async () => {
  const request = { clientSoftwareName: 'a b', clientSoftwareVersion: '1' }
  const { errorCode } = await new FakeBroker().ask(apiVersions, 3, request)
  assert.equal(errorName(errorCode), 'INVALID_REQUEST')
})

test('PH-4: what answers a too-new ApiVersions is readable in version 0', () => {
  const frame = Buffer.concat(encodeResponse(apiVersions, 0, 1, refuseApiVersions())).subarray(4)
  const { body } = decodeResponse(frame, apiVersions, 0)
  assert.equal(errorName(body.errorCode), 'UNSUPPORTED_VERSION')
  assert.ok(body.apiKeys.some((each) => each.apiKey === 18 && each.maxVersion === 4))
})

test('PH-3: every listed version of every listed API answers any well-formed request in its own form', async () => {
  const samples = new SampleValues(20160101)
  for (let key = 0; key < 100; key++) {
    const served = findApi(key)
    if (served === undefined) continue
    for (let version = served.versions[0]; version <= served.versions[1]; version++) {
      for (let round = 0; round < 3; round++) await answersInForm(served.api, version, samples)
    }
  }
})

test('a request with bytes after its end is understood, as Kafka does: librdkafka 2.16 lists topics so', () => {
  const frame = Buffer.from('0003000d00000003000772646b61666b610000000000010000', 'hex')
  const { body, clientId } = decodeRequest(frame, metadata)
  assert.deepEqual([clientId, body.topics], ['rdkafka', null])
})

/** Nothing may throw, and the answer must be readable to its end; what it says is the other tests' matter. */
async function answersInForm(api: Api, version: number, samples: SampleValues): Promise<void> {
  const broker = new FakeBroker()
  const connection = new FakeConnection()
  // Whatever would wait for time or others ends with the connection, or is answered as the group comes to rest.
  const sample = samples.struct(api.request, version).written
  const body = { ...sample, ...(api.name === 'Fetch' ? { maxWaitMs: 0 } : {}) } as RequestToWrite<Api>
  const answer = broker.askMaybe(api, version, body, connection)
  await new Promise((resolve) => setImmediate(resolve))
  broker.clock.advance(2 ** 32)
  await assert.doesNotReject(answer, `${api.name} v${version}`)
}
