import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaNames } from './names.js'
import { isRefusal } from './types.js'

const names = kafkaNames({ kafkaTenant: 'acme', kafkaNamespace: 'shop' })
const resolved = (name: string): string => {
  const topic = names.resolveKafkaName(name)
  return isRefusal(topic) ? topic.refused : `${topic.tenant}/${topic.namespace}/${topic.local}`
}

test('short and full Kafka names of a topic name the same topic', () => {
  for (const name of ['orders', 'acme/shop/orders', 'persistent://acme/shop/orders']) {
    assert.equal(resolved(name), 'acme/shop/orders')
  }
  assert.equal(resolved('other/ns/orders'), 'other/ns/orders')
})

test('names that Kafka forbids, other forms, and names of partitions are refused', () => {
  const forbidden = [
    '',
    '.',
    '..',
    'x'.repeat(250),
    'a b',
    'ä',
    'a/b',
    'a/b/c/d',
    'a//c',
    '/b/c',
    'acme/shop/..',
    'acme/shop/',
  ]
  const forms = [
    'non-persistent://acme/shop/x',
    'persistent://x',
    'persistent://a/b/c/d',
    'http://a/b',
    'a b/c/d',
  ]
  const partitions = ['orders-partition-0', 'acme/shop/orders-partition-12']
  for (const name of [...forbidden, ...forms, ...partitions]) {
    assert.equal(resolved(name), 'INVALID_TOPIC_EXCEPTION', `"${name}"`)
  }
  for (const name of ['x'.repeat(249), 'a.b_c-D9', '__internal', 'a-partition-x', '-partition-0']) {
    assert.equal(resolved(name), `acme/shop/${name}`)
  }
})

test('a topic is shown by its short name in the configured namespace, else by its full one', () => {
  assert.equal(names.kafkaNameOf({ tenant: 'acme', namespace: 'shop', local: 'a' }), 'a')
  assert.equal(names.kafkaNameOf({ tenant: 'acme', namespace: 'x', local: 'a' }), 'persistent://acme/x/a')
})
