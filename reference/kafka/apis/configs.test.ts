import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeConfigs } from '../messages/32-describe-configs.js'
import { alterConfigs } from '../messages/33-alter-configs.js'
import { incrementalAlterConfigs } from '../messages/44-incremental-alter-configs.js'
import { errorName } from '../wire/errors.js'
import { FakeBroker } from './fake-broker.js'
import { checkTopicConfigs, topicConfigs } from './topic-configs.js'

const [topicType, brokerType] = [2, 4]
const [set, remove, append, subtract] = [0, 1, 2, 3]

async function describe(broker: FakeBroker, resourceType: number, resourceName: string, version = 4) {
  const resources = [{ resourceType, resourceName, configurationKeys: null }]
  const request = { resources, includeSynonyms: true, includeDocumentation: true }
  const [result] = (await broker.ask(describeConfigs, version, request)).results
  const configs = new Map(result?.configs.map((config) => [config.name, config]))
  return { error: errorName(result?.errorCode ?? 0), configs }
}

async function change(
  broker: FakeBroker,
  changes: readonly (readonly [name: string, configOperation: number, value: string | null])[],
  resource = { resourceType: topicType, resourceName: 't' },
  validateOnly = false,
) {
  const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
  const request = { resources: [{ ...resource, configs }], validateOnly }
  const [response] = (await broker.ask(incrementalAlterConfigs, 1, request)).responses
  return errorName(response?.errorCode ?? 0)
}
const configsOf = (broker: FakeBroker) => [...broker.catalog.topics.values()][0]?.configs

test('every default is a value that its own config accepts', () => {
  for (const messageBytesMax of [1024, 5_242_880]) {
    const all = topicConfigs({ messageBytesMax })
    const defaults = Object.fromEntries(all.map((config) => [config.name, config.fallback]))
    assert.equal(checkTopicConfigs(defaults, { messageBytesMax }), null)
    assert.deepEqual(
      all.map((each) => each.name),
      [...all.map((each) => each.name)].sort(),
    )
  }
})

test('a topic’s configs are described with source, type and synonyms', async () => {
  const broker = new FakeBroker()
  await broker.topic('t', { configs: { 'retention.ms': '1000' } })
  const { error, configs } = await describe(broker, topicType, 't')
  assert.equal(error, 'NONE')
  const own = configs.get('retention.ms')
  assert.deepEqual([own?.value, own?.configSource, own?.configType, own?.readOnly], ['1000', 1, 5, false])
  assert.deepEqual(own?.synonyms, [
    { name: 'retention.ms', value: '1000', source: 1 },
    { name: 'log.retention.ms', value: '-1', source: 5 },
  ])
  const inherited = configs.get('max.message.bytes')
  assert.deepEqual([inherited?.value, inherited?.configSource], ['100000', 5])
  const old = (await describe(broker, topicType, 't', 0)).configs
  assert.deepEqual([old.get('retention.ms')?.isDefault, old.get('retention.bytes')?.isDefault], [false, true])
})

test('this broker’s configs are described, and read-only; other resources are refused', async () => {
  const broker = new FakeBroker()
  const { configs } = await describe(broker, brokerType, '7')
  assert.deepEqual(
    [configs.get('num.partitions')?.value, configs.get('num.partitions')?.readOnly],
    ['2', true],
  )
  assert.equal((await describe(broker, brokerType, '8')).error, 'INVALID_REQUEST')
  assert.equal((await describe(broker, topicType, 'gone')).error, 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal((await describe(broker, 99, 'x')).error, 'INVALID_REQUEST')
})

test('only the configs that are named are answered', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  const resources = [{ resourceType: topicType, resourceName: 't', configurationKeys: ['cleanup.policy'] }]
  const [result] = (await broker.ask(describeConfigs, 4, { resources, includeSynonyms: false })).results
  assert.deepEqual(
    result?.configs.map((config) => [config.name, config.synonyms.length]),
    [['cleanup.policy', 0]],
  )
})

test('single configs are set, deleted, appended and subtracted', async () => {
  const broker = new FakeBroker()
  await broker.topic('t', { configs: { 'retention.ms': '5' } })
  assert.equal(
    await change(broker, [
      ['cleanup.policy', append, 'compact'],
      ['segment.ms', set, '9'],
    ]),
    'NONE',
  )
  assert.deepEqual(configsOf(broker), {
    'retention.ms': '5',
    'cleanup.policy': 'delete,compact',
    'segment.ms': '9',
  })
  assert.equal(
    await change(broker, [
      ['cleanup.policy', subtract, 'delete'],
      ['retention.ms', remove, null],
    ]),
    'NONE',
  )
  assert.deepEqual(configsOf(broker), { 'cleanup.policy': 'compact', 'segment.ms': '9' })
})

test('a wrong change is refused, and nothing of its resource is changed', async () => {
  const broker = new FakeBroker()
  await broker.topic('t')
  const good = ['segment.ms', set, '9'] as const
  assert.equal(await change(broker, [good, ['retention.ms', set, 'soon']]), 'INVALID_CONFIG')
  assert.equal(await change(broker, [good, ['no.such', set, '1']]), 'INVALID_CONFIG')
  assert.equal(await change(broker, [good, ['retention.ms', append, '1']]), 'INVALID_CONFIG')
  assert.equal(await change(broker, [good, ['retention.ms', set, null]]), 'INVALID_REQUEST')
  assert.equal(await change(broker, [good, good]), 'INVALID_REQUEST')
  assert.equal(
    await change(broker, [good], { resourceType: brokerType, resourceName: '7' }),
    'INVALID_REQUEST',
  )
  assert.equal(
    await change(broker, [good], { resourceType: topicType, resourceName: 'x' }),
    'UNKNOWN_TOPIC_OR_PARTITION',
  )
  assert.equal(await change(broker, [good], undefined, true), 'NONE')
  assert.deepEqual(configsOf(broker), {})
})

test('AlterConfigs replaces all', async () => {
  const broker = new FakeBroker()
  await broker.topic('t', { configs: { 'retention.ms': '5' } })
  const alter = async (name: string, value: string | null) => {
    const resources = [{ resourceType: topicType, resourceName: 't', configs: [{ name, value }] }]
    const { responses } = await broker.ask(alterConfigs, 2, { resources, validateOnly: false })
    return errorName(responses[0]?.errorCode ?? 0)
  }
  assert.equal(await alter('segment.ms', null), 'INVALID_CONFIG')
  assert.equal(await alter('segment.ms', '7'), 'NONE')
  assert.deepEqual(configsOf(broker), { 'segment.ms': '7' })
})

test('of two changes at once to one topic, none is lost', async () => {
  const broker = new FakeBroker()
  await broker.topic('t', {})
  const { setConfigs } = broker.catalog
  broker.catalog.setConfigs = async (...stored) => {
    // As a store that takes its time.
    await new Promise((resolve) => setImmediate(resolve))
    return setConfigs.apply(broker.catalog, stored)
  }
  const names = ['retention.ms', 'retention.bytes']
  const outcomes = await Promise.all(names.map((name) => change(broker, [[name, set, '1']])))
  assert.deepEqual(outcomes, ['NONE', 'NONE'])
  assert.deepEqual(configsOf(broker), { 'retention.ms': '1', 'retention.bytes': '1' })
})
