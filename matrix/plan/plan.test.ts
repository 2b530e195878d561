import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ClientSpec } from '../clients/types.js'
import { UsageError } from '../usage-error.js'
import { type CellInput, type ClientTitle, pairs, planCells } from './cells.js'
import { costOf, cutIntoChunks } from './chunks.js'
import { chooseClients, powersFor } from './clients.js'
import { slug } from './gherkin.js'
import { parseRegister } from './register.js'
import { loadScenarios, type Scenario, type Worlds } from './scenarios.js'
import { select } from './selection.js'

const register = parseRegister(
  `
- { id: MC-3, chapter: MC, level: MUST, statement: Nothing is lost. }
- { id: MC-6, chapter: MC, level: DECLARED, statement: A stated rule. }
- { id: PH-8, chapter: PH, level: SHOULD, statement: Idle connections end. }
`,
  'requirements.yaml',
)

function scenario(id: string, worlds: Worlds, more: Partial<Scenario> = {}): Scenario {
  return {
    id,
    name: id,
    featureName: 'F',
    rule: null,
    feature: 'features/conversion/headers.feature',
    line: 4,
    firstLine: 4,
    lastLine: 7,
    folder: 'conversion',
    chapter: 'MC',
    requirementIds: ['MC-3'],
    level: 'MUST',
    worlds,
    raw: worlds === 'raw',
    tools: [],
    powers: [],
    slow: false,
    ...more,
  }
}

const client = (name: string): ClientTitle => ({ name, version: '1' })

function input(more: Partial<CellInput<ClientTitle>> = {}): CellInput<ClientTitle> {
  return {
    kafka: [client('k1'), client('k2')],
    pulsar: [client('p1'), client('p2'), client('p3')],
    raw: client('raw'),
    pulsarAdmin: [client('pa1'), client('pa2')],
    kafkaAdmin: [client('ka1')],
    scenarios: [scenario('k', 'kafka'), scenario('p', 'pulsar'), scenario('b', 'both'), scenario('r', 'raw')],
    pairs: 'cover',
    endpoints: { kafka: 'k:1', pulsar: 'pulsar://p:1', admin: 'http://p:2' },
    ...more,
  }
}

test('covering pairs meet every client at least once, in as few cells as can be', () => {
  for (const [left, right] of [
    [1, 1],
    [2, 3],
    [4, 3],
    [2, 2],
    [5, 1],
  ] as const) {
    const a = Array.from({ length: left }, (_, index) => `a${index}`)
    const b = Array.from({ length: right }, (_, index) => `b${index}`)
    const covering = pairs(a, b, 'cover')
    assert.equal(covering.length, Math.max(left, right))
    assert.deepEqual([...new Set(covering.map(([x]) => x))].sort(), a)
    assert.deepEqual([...new Set(covering.map(([, y]) => y))].sort(), b)
    assert.equal(pairs(a, b, 'all').length, left * right)
  }
  assert.deepEqual(pairs([], ['b'], 'cover'), [])
})

test('each world runs once a client, both worlds over pairs, raw once', () => {
  const { cells, leftOut } = planCells(input())
  assert.deepEqual(
    cells.map((cell) => `${cell.id}: ${cell.scenarios.map(({ id }) => id).join()}`),
    [
      'k1@1: k',
      'k2@1: k',
      'p1@1: p',
      'p2@1: p',
      'p3@1: p',
      'k1@1 × p1@1: b',
      'k2@1 × p2@1: b',
      'k1@1 × p3@1: b',
      'raw: r',
    ],
  )
  assert.deepEqual(leftOut, [])
})

const managed = (id: string, worlds: Worlds, ...tools: Scenario['tools'][number][]) =>
  scenario(id, worlds, { tools })

const cellLines = (more: Partial<CellInput<ClientTitle>>) =>
  planCells(input(more)).cells.map((cell) => `${cell.id}: ${cell.scenarios.map(({ id }) => id).join()}`)

test('what a tool manages runs in cells of its own, with each tool of the kind', () => {
  const kafkaAdmin = [client('ka1'), client('ka2'), client('ka3')]
  const scenarios = [
    scenario('k', 'kafka'),
    managed('k+', 'kafka', 'kafka-admin'),
    managed('b+', 'both', 'pulsar-admin'),
    managed('r+', 'raw', 'kafka-admin'),
    managed('t', 'tools', 'pulsar-admin'),
    managed('two', 'tools', 'kafka-admin', 'pulsar-admin'),
  ]
  assert.deepEqual(cellLines({ scenarios, kafkaAdmin }), [
    'k1@1: k',
    'k2@1: k',
    'k1@1 × p1@1 × pa1@1: b+',
    'k2@1 × p2@1 × pa2@1: b+',
    'k1@1 × p3@1 × pa1@1: b+',
    'pa1@1: t',
    'pa2@1: t',
    'k1@1 × ka1@1: k+',
    'k2@1 × ka2@1: k+',
    'k1@1 × ka3@1: k+',
    'raw × ka1@1: r+',
    'raw × ka2@1: r+',
    'raw × ka3@1: r+',
    'pa1@1 × ka1@1: two',
    'pa2@1 × ka2@1: two',
    'pa1@1 × ka3@1: two',
  ])
  const once = cellLines({ scenarios: scenarios.slice(1, 3), powers: 'once' })
  assert.deepEqual(once, ['k1@1 × p1@1 × pa1@1: b+', 'k2@1 × p2@1 × pa2@1: b+', 'k1@1 × ka1@1: k+'])
  const all = cellLines({ scenarios: scenarios.slice(1, 3), kafkaAdmin, pairs: 'all' })
  assert.equal(all.length, 2 * 3 + 2 * 3 * 2)
  assert.equal(new Set(all).size, all.length)
})

test('a tool that is not there, or cannot reach the target, leaves its scenarios out with a reason', () => {
  const scenarios = [managed('k+', 'kafka', 'kafka-admin'), managed('t', 'tools', 'pulsar-admin')]
  const reasons = (more: Partial<CellInput<ClientTitle>>) =>
    planCells(input({ scenarios, ...more })).leftOut.map(
      (each) => `${each.scenarios.map(({ id }) => id).join()}: ${each.reason}`,
    )
  const admin = 'http://p:2'
  assert.deepEqual(reasons({}), [])
  assert.deepEqual(reasons({ kafkaAdmin: [], pulsarAdmin: [] }), [
    "k+: there is no tool of Kafka's administration in the plan",
    "t: there is no tool of Pulsar's administration in the plan",
  ])
  assert.deepEqual(reasons({ endpoints: { kafka: 'k:1' } }), ['t: the target has no admin address'])
  assert.deepEqual(reasons({ endpoints: { pulsar: 'pulsar://p:1', admin } }), [
    'k+: the target does not speak Kafka',
  ])
})

test('with powers once, what needs a power or is slow runs in the first cell of its world only, and the rest is counted', () => {
  const powers = ['kill'] as const
  const scenarios = [
    scenario('slow', 'kafka', { slow: true }),
    ...(['kafka', 'pulsar', 'both', 'raw'] as const).map((worlds) =>
      scenario(`${worlds}!`, worlds, { powers }),
    ),
    scenario('k', 'kafka'),
  ]
  const cellsOf = (plan: ReturnType<typeof planCells>) =>
    plan.cells.map((cell) => `${cell.id}: ${cell.scenarios.map(({ id }) => id).join()}`)
  const once = planCells(input({ scenarios, powers: 'once' }))
  assert.deepEqual(cellsOf(once), [
    'k1@1: slow,kafka!,k',
    'k2@1: k',
    'p1@1: pulsar!',
    'k1@1 × p1@1: both!',
    'raw: raw!',
  ])
  const all = planCells(input({ scenarios, powers: 'all' }))
  const count = (plan: ReturnType<typeof planCells>) =>
    plan.cells.reduce((sum, cell) => sum + cell.scenarios.length, 0)
  assert.equal(once.sparedCases, count(all) - count(once))
  assert.equal(all.sparedCases, 0)
})

test('only the quick plan in covering pairs spares cases', () => {
  assert.equal(powersFor('quick', 'cover'), 'once')
  assert.equal(powersFor('quick', 'all'), 'all')
  assert.equal(powersFor('all', 'cover'), 'all')
  assert.equal(powersFor('kafkajs', 'cover'), 'all')
})

test('what cannot run is left out with its reason', () => {
  const reasons = (more: Partial<CellInput<ClientTitle>>) =>
    planCells(input(more)).leftOut.map(
      ({ reason, scenarios }) => `${scenarios.map(({ id }) => id).join()}: ${reason}`,
    )
  assert.deepEqual(reasons({ endpoints: { kafka: 'k:1' } }), ['p,b: the target does not speak Pulsar'])
  assert.deepEqual(reasons({ endpoints: { pulsar: 'p' } }), ['k,b,r: the target does not speak Kafka'])
  assert.deepEqual(reasons({ pulsar: [] }), ['p,b: there is no Pulsar client in the plan'])
  assert.deepEqual(reasons({ kafka: [], raw: null }), [
    'k,b: there is no Kafka client in the plan',
    'r: the raw client is not in the plan',
  ])
})

test('chunks hold every scenario of every cell once, the longest first', () => {
  const scenarios = Array.from({ length: 50 }, (_, index) => scenario(`k${index}`, 'kafka'))
  const { cells } = planCells(input({ scenarios: [...scenarios, scenario('r', 'raw')] }))
  const chunks = cutIntoChunks(cells, 2)
  const seen = chunks.flatMap((chunk) => chunk.scenarios.map(({ id }) => `${chunk.cell.id} ${id}`))
  assert.equal(new Set(seen).size, 101)
  assert.equal(seen.length, 101)
  assert.ok(chunks.length >= 6)
  const costs = chunks.map((chunk) => costOf(chunk.scenarios))
  assert.deepEqual(
    costs,
    costs.toSorted((a, b) => b - a),
  )
  assert.deepEqual(new Set(cutIntoChunks(cells, 2, 3).map(({ round }) => round)), new Set([1, 2, 3]))
})

test('what needs a power stands together in one chunk of its cell, and counts for more', () => {
  const powers = ['restart'] as const
  const scenarios = Array.from({ length: 40 }, (_, index) =>
    scenario(`k${index}`, 'kafka', index % 10 === 0 ? { powers } : {}),
  )
  const { cells } = planCells(input({ kafka: [{ name: 'k1', version: '1' }], scenarios }))
  const [first, ...others] = cutIntoChunks(cells, 1)
  assert.deepEqual(
    first?.scenarios.map(({ id }) => id),
    ['k0', 'k10', 'k20', 'k30'],
  )
  assert.equal(others.flatMap((chunk) => chunk.scenarios).length, 36)
})

const specs = (
  [
    ['kafkajs', 'kafka', ['2.2.3', '2.2.4'], true],
    ['node-rdkafka', 'kafka', ['3.6.1'], false],
    ['pulsar-client-python', 'pulsar', ['3.8.0'], true],
    ['raw', 'raw', ['1.35.0'], true],
  ] as const
).map(
  ([name, kind, versions, quick]): ClientSpec => ({
    name,
    kind,
    language: 'node',
    package: name,
    versions,
    quick,
    folder: '',
  }),
)

test('--clients takes quick, all, names, versions and every version', () => {
  const titles = (text: string) =>
    chooseClients(text, specs).map(({ spec, version, named }) => `${spec.name}@${version}${named ? '!' : ''}`)
  assert.deepEqual(titles('quick'), ['kafkajs@2.2.4', 'pulsar-client-python@3.8.0', 'raw@1.35.0'])
  assert.equal(titles('all').length, 4)
  assert.deepEqual(titles('kafkajs, kafkajs@2.2.4'), ['kafkajs@2.2.4!'])
  assert.deepEqual(titles('kafkajs@*'), ['kafkajs@2.2.3!', 'kafkajs@2.2.4!'])
  assert.deepEqual(titles('node-rdkafka@2.0.0'), ['node-rdkafka@2.0.0!'])
  assert.throws(() => titles('kafkjs'), /--clients kafkjs: no such client; did you mean kafkajs\?/)
  assert.throws(() => titles('zzzzzzzz'), /there are kafkajs, node-rdkafka, pulsar-client-python or raw/)
  assert.throws(() => titles('kafkajs@'), /a version is missing/)
  assert.throws(() => titles(','), UsageError)
})

const suite = [
  scenario('conversion/headers/plain', 'kafka'),
  scenario('conversion/headers/outline#1', 'both', { line: 20, firstLine: 12, lastLine: 21 }),
  scenario('conversion/headers/outline#2', 'both', { line: 21, firstLine: 12, lastLine: 21 }),
  scenario('handler/idle/closed', 'raw', {
    feature: 'features/handler/idle.feature',
    folder: 'handler',
    chapter: 'PH',
    requirementIds: ['PH-8'],
  }),
]

test('--only takes a requirement, a place, a scenario, or the beginning of its id', () => {
  const ids = (...only: string[]) => select(suite, { chapters: [], only }, register).map(({ id }) => id)
  assert.deepEqual(ids('PH-8'), ['handler/idle/closed'])
  assert.deepEqual(ids('mc-3').length, 3)
  assert.deepEqual(ids('conversion/headers/outline#2'), ['conversion/headers/outline#2'])
  assert.deepEqual(ids('conversion/headers/outline').length, 2)
  assert.deepEqual(ids('handler'), ['handler/idle/closed'])
  assert.deepEqual(ids('features/conversion/headers.feature:20'), ['conversion/headers/outline#1'])
  assert.deepEqual(ids('./features/conversion/headers.feature:14').length, 2)
  assert.deepEqual(ids('headers.feature:5'), ['conversion/headers/plain'])
  assert.deepEqual(ids('idle.feature', 'PH-8'), ['handler/idle/closed'])
  assert.throws(() => ids('MC-99'), /--only MC-99: the register has no such requirement/)
  assert.throws(() => ids('MC-6'), /no scenario shows this requirement yet/)
  assert.throws(() => ids('headers.feature:400'), /no scenario stands at that line/)
  assert.throws(() => ids('handler/idle/close'), /did you mean handler\/idle\/closed\?/)
})

test('--chapter takes a folder or a code of the register, and narrows --only', () => {
  const ids = (chapters: string[], only: string[] = []) => select(suite, { chapters, only }, register).length
  assert.equal(ids(['handler']), 1)
  assert.equal(ids(['mc']), 3)
  assert.equal(ids(['mc', 'handler']), 4)
  assert.equal(ids(['handler'], ['MC-3']), 0)
  assert.throws(
    () => ids(['nowhere']),
    /--chapter nowhere: no such chapter; there are conversion, MC, handler, PH/,
  )
})

test('a register is refused when it names a requirement twice or has an unknown level', () => {
  assert.equal(
    parseRegister('requirements: []\nchapters: [{id: MC, title: Conversion}]', 'r').digest.length,
    64,
  )
  const one = '- { id: MC-3, chapter: MC, level: MUST, statement: x }\n'
  assert.throws(() => parseRegister(one + one, 'r.yaml'), /r\.yaml names a requirement twice/)
  assert.throws(() => parseRegister(one.replace('MUST', 'MAY'), 'r.yaml'), /r\.yaml is not a register/)
})

async function featureFolder(text: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'kop-plan-'))
  await mkdir(join(root, 'features', 'conversion'), { recursive: true })
  writeFileSync(join(root, 'features', 'conversion', 'headers.feature'), text)
  return root
}

test('feature files give scenarios with stable ids, levels, worlds and powers', async () => {
  const root = await featureFolder(`
@kafka
Feature: Headers
  Rule: Nothing is lost
    @MC-3 @pulsar @power-kill
    Scenario: A null header's value
      Given a topic
    @MC-6 @raw @kafka-admin
    Scenario Outline: A <kind> header
      Given a <kind>
      Examples:
        | kind   |
        | binary |
        | <b>    |
`)
  const scenarios = await loadScenarios(register, undefined, root)
  assert.deepEqual(
    scenarios.map(({ id, worlds, level, raw, tools, powers, line }) => [
      id,
      worlds,
      level,
      raw,
      [...tools, ...powers].join(),
      line,
    ]),
    [
      ['conversion/headers/a-null-headers-value', 'both', 'MUST', false, 'kill', 6],
      ['conversion/headers/a-kind-header#1', 'kafka', 'DECLARED', true, 'kafka-admin', 13],
      ['conversion/headers/a-kind-header#2', 'kafka', 'DECLARED', true, 'kafka-admin', 14],
    ],
  )
  assert.equal(scenarios[0]?.rule, 'Nothing is lost')
  assert.equal(scenarios[2]?.name, 'A <b> header')
})

test('mistakes in feature files are named with their place', async () => {
  const root = await featureFolder(`
Feature: Headers
  @MC-3 @kafak
  Scenario: One
    Given a topic
  @kafka
  Scenario: one
    Given a topic
`)
  await assert.rejects(loadScenarios(register, undefined, root), (error: Error) => {
    assert.ok(error instanceof UsageError)
    assert.deepEqual(error.message.split('\n'), [
      'features/conversion/headers.feature:4: unknown tag @kafak',
      'features/conversion/headers.feature:4: none of the tags @kafka, @pulsar, @raw, @pulsar-admin, @kafka-admin',
      'features/conversion/headers.feature:7: no requirement tag such as @MC-3',
      'features/conversion/headers.feature:4 and features/conversion/headers.feature:7: ' +
        'two scenarios of one name (conversion/headers/one); give one another name',
    ])
    return true
  })
  const broken = await featureFolder('Feature: X\n  Scenario: Y\n    Given a\n    Nonsense line\n')
  await assert.rejects(loadScenarios(register, undefined, broken), /headers\.feature.*expected/s)
})

test('slugs are plain words', () => {
  assert.equal(slug('Kafka → Pulsar: “ID-5”, Bücher & N’s'), 'kafka-pulsar-id-5-bucher-ns')
  assert.equal(slug('→'), 'unnamed')
})
