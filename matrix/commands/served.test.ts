import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientSpec, Provision } from '../clients/types.js'
import { provisionServed } from './served.js'

const spec: ClientSpec = {
  name: 'old',
  kind: 'kafka',
  language: 'java',
  package: 'old',
  versions: ['0.10', '4.1'],
  controls: { '0.10': '3.9.1' },
  quick: false,
  folder: '',
}
const provision: Provision = async ({ name, kind }, version) => {
  return { name, version, kind, command: ['true'], env: {} }
}

test('a client that an original is too new for is named, with the original that serves it', async () => {
  const outcome = await provisionServed('kafka@4.1.0', provision)(spec, '0.10', {})
  assert.ok('reason' in outcome)
  assert.equal(outcome.reason, 'Apache Kafka 4.1.0 does not serve it any more')
  assert.equal(outcome.isTooOld, true)
  assert.match(outcome.remedy, /--target kafka@3\.9\.1$/)
  assert.ok('reason' in (await provisionServed('kafka', provision)(spec, '0.10', {})), 'the default version')
})

test('it is made ready for that one, for older ones, and for other targets; and so are later versions', async () => {
  for (const target of ['kafka@3.9.1', 'kafka@2.8.2', 'reference', 'endpoint'])
    assert.ok('command' in (await provisionServed(target, provision)(spec, '0.10', {})), target)
  assert.ok('command' in (await provisionServed('kafka@4.1.0', provision)(spec, '4.1', {})))
})
