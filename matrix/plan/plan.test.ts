import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ClientSpec } from '../clients/types.js'
import { UsageError } from '../usage-error.js'
import { type CellInput, type ClientTitle, pairs, planCells } from './cells.js'
import { costSum, cutIntoChunks } from './chunks.js'
import { chooseClients } from './clients.js'
import { guessedCost } from './costs.js'
import { slug } from './gherkin.js'
import { presetFor, spreadOf } from './presets.js'
import { parseRegister } from './register.js'
import { loadScenarios, type Scenario, type Worlds, withTags } from './scenarios.js'
import { select } from './selection.js'
import { shardOf } from './shards.js'

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
  const costs = chunks.map((chunk) => costSum(chunk.scenarios, guessedCost))
  assert.deepEqual(
    costs,
    costs.toSorted((a, b) => b - a),
  )
})

test('what needs a power stands together in chunks of its cell, and a dear scenario is a chunk of its own', () => {
  const powers = ['restart'] as const
  const scenarios = Array.from({ length: 40 }, (_, index) =>
    scenario(`k${index}`, 'kafka', index % 20 === 0 ? { powers } : {}),
  )
  const { cells } = planCells(input({ kafka: [client('k1')], scenarios }))
  const chunks = cutIntoChunks(cells, 1)
  const ids = chunks.map((chunk) => chunk.scenarios.map(({ id }) => id))
  assert.ok(ids.some((own) => own.join() === 'k0,k20'))
  assert.equal(ids.flat().length, 40)
  const dear = cutIntoChunks(cells, 1, ({ id }) => (id === 'k7' ? 60_000 : 100))
  assert.deepEqual(
    dear[0]?.scenarios.map(({ id }) => id),
    ['k7'],
  )
  assert.equal(dear.flatMap((chunk) => chunk.scenarios).length, 40)
})

const version = (name: string, ...versions: string[]): ClientTitle[] =>
  versions.map((each) => ({ name, version: each }))
/** Cheap, but for what is slow; whatever the presets' own bounds are. */
const costOf = ({ slow }: Scenario): number => (slow ? 5_000 : 100)
const presetOf = (name: 'quick' | 'rest' | 'standard' | 'full', isNamed = false) => ({
  ...spreadOf(presetFor(name, undefined), 'cover', isNamed),
  costOf,
})
const quick = presetOf('quick')
const standard = presetOf('standard')
const full = presetOf('full')

/** A suite of outlines of four, that show requirements; and what is no matter of a client. */
const wide: readonly Scenario[] = [
  ...(['kafka', 'pulsar', 'both'] as const).flatMap((worlds) =>
    Array.from({ length: 24 }, (_, index) =>
      scenario(`f/${worlds}/o${Math.floor(index / 4)}#${(index % 4) + 1}`, worlds, {
        requirementIds: [`${worlds.toUpperCase().slice(0, 2)}-${Math.floor(index / 8)}`],
      }),
    ),
  ),
  ...['1', '2', '3'].map((id) => scenario(`f/killed/${id}`, 'kafka', { powers: ['kill'] })),
  ...['1', '2', '3'].map((id) => scenario(`f/slow/${id}`, 'both', { slow: true })),
  ...['1', '2', '3', '4'].map((id) => scenario(`f/managed/${id}`, 'kafka', { tools: ['pulsar-admin'] })),
  scenario('f/login/once', 'kafka', { powers: ['configure'], requirementIds: ['NS-1'] }),
  scenario('r', 'raw'),
]
const manyClients = {
  kafka: [...version('k1', '1', '2', '3'), ...version('k2', '1', '2'), ...version('k3', '1')],
  pulsar: [...version('p1', '1', '2'), ...version('p2', '1')],
  pulsarAdmin: [...version('pa1', '1'), ...version('pa2', '1')],
}

function casesOf(more: Partial<CellInput<ClientTitle>>) {
  const plan = planCells(input({ scenarios: wide, ...manyClients, ...more }))
  const cases = plan.cells.flatMap((cell) => cell.scenarios.map((one) => ({ cell, scenario: one })))
  assert.equal(new Set(cases.map((each) => `${each.cell.id} ${each.scenario.id}`)).size, cases.length)
  return { plan, cases }
}
type Cases = ReturnType<typeof casesOf>['cases']
const titlesBy = (
  cases: Cases,
  side: 'kafka' | 'pulsar' | 'pulsarAdmin',
  keyOf: (one: Scenario) => string[],
) => {
  const met = new Map<string, Set<string>>()
  for (const { cell, scenario: one } of cases) {
    const title = cell[side] === null ? null : `${cell[side].name}@${cell[side].version}`
    for (const key of title === null ? [] : keyOf(one)) met.set(key, new Set(met.get(key)).add(title ?? ''))
  }
  return met
}

test('every plan runs every scenario that it does not leave, is the same each time, and counts what it spares', () => {
  for (const spread of [quick, standard, full]) {
    const { plan, cases } = casesOf(spread)
    const left = plan.leftOut.flatMap(({ scenarios }) => scenarios)
    const run = new Set(cases.map((each) => each.scenario))
    assert.deepEqual(new Set([...run, ...left]), new Set(wide))
    assert.equal(run.size + left.length, wide.length)
    assert.deepEqual(casesOf(spread).plan, plan)
    assert.ok(plan.sparedCases > 0)
  }
})

test('quick runs a scenario about once, and every client meets every requirement', () => {
  const { plan, cases } = casesOf({ ...quick, kafka: version('k1', '1').concat(version('k2', '1')) })
  const left = plan.leftOut.flatMap(({ scenarios }) => scenarios.map(({ id }) => id))
  assert.deepEqual(left, ['f/slow/1', 'f/slow/2', 'f/slow/3'])
  assert.ok(cases.length < 1.3 * wide.length)
  for (const [key, titles] of titlesBy(cases, 'kafka', (one) => [...one.requirementIds])) {
    assert.equal(titles.size, 2, key)
  }
  const rest = casesOf(presetOf('rest'))
  assert.deepEqual(
    rest.cases.map((each) => each.scenario.id),
    left,
  )
  assert.equal(casesOf(presetOf('quick', true)).plan.leftOut.length, 0)
})

test('quick leaves no requirement without a scenario, however dear its cheapest one is', () => {
  const scenarios = ['a', 'b'].map((id) => scenario(id, 'kafka', { slow: true, requirementIds: ['PH-8'] }))
  const { cells, leftOut } = planCells(input({ ...quick, costOf: guessedCost, scenarios }))
  assert.deepEqual(
    cells.flatMap((cell) => cell.scenarios.map(({ id }) => id)),
    ['a'],
  )
  assert.match(leftOut[0]?.reason ?? '', /--plan rest/)
})

test('standard runs what is cheap with each client, in all pairs; what is dear once; and each meets every requirement', () => {
  const kafka = ['k1', 'k2', 'k3', 'k4'].flatMap((name) => version(name, '1'))
  const pulsar = ['p1', 'p2', 'p3'].flatMap((name) => version(name, '1'))
  const { cases } = casesOf({ ...standard, kafka, pulsar })
  const byScenario = titlesBy(cases, 'kafka', ({ id }) => [id])
  assert.equal(byScenario.get('f/kafka/o0#1')?.size, 4)
  assert.equal(byScenario.get('f/both/o0#1')?.size, 4)
  assert.equal(byScenario.get('f/killed/1')?.size, 1)
  assert.equal(byScenario.get('f/slow/1')?.size, 1)
  assert.equal(byScenario.get('f/login/once')?.size, 4)
  assert.equal(
    new Set(['1', '2', '3'].flatMap((id) => [...(byScenario.get(`f/killed/${id}`) ?? [])])).size,
    3,
  )
  assert.equal(titlesBy(cases, 'pulsar', ({ id }) => [id]).get('f/both/o0#1')?.size, 3)
  assert.equal(titlesBy(cases, 'pulsarAdmin', ({ id }) => [id]).get('f/managed/1')?.size, 2)
  const pairsMet = new Set(cases.map(({ cell }) => `${cell.kafka?.name} ${cell.pulsar?.name}`))
  for (const k of kafka) for (const p of pulsar) assert.ok(pairsMet.has(`${k.name} ${p.name}`))
  const all = casesOf({ ...standard, pairs: 'all', kafka, pulsar }).cases
  const ofOne = all.filter((each) => each.scenario.id === 'f/both/o0#1')
  assert.equal(ofOne.length, 12)
})

test('full has older versions meet every outline by one example each, and not always the same', () => {
  const { cases } = casesOf(full)
  const outline = ({ id, powers, slow, tools }: Scenario) =>
    powers.length > 0 || slow || tools.length > 0 ? [] : [id.split('#')[0] ?? '']
  for (const side of ['kafka', 'pulsar'] as const) {
    for (const [key, titles] of titlesBy(cases, side, outline)) {
      assert.equal(titles.size, manyClients[side].length, key)
    }
  }
  const examplesOf = (title: string) =>
    cases
      .filter(({ cell }) => cell.worlds === 'kafka' && `${cell.kafka?.name}@${cell.kafka?.version}` === title)
      .map((each) => each.scenario.id)
      .filter((id) => id.startsWith('f/kafka/o0'))
  assert.deepEqual(examplesOf('k1@3').length, 4)
  assert.deepEqual(examplesOf('k1@1').length, 1)
  assert.notDeepEqual(examplesOf('k1@1'), examplesOf('k1@2'))
})

test('shards of a plan are the plan, each case once, in about even parts', () => {
  const { plan, cases } = casesOf(full)
  for (const count of [1, 2, 4, 7]) {
    const shards = Array.from({ length: count }, (_, index) =>
      shardOf(plan.cells, { index: index + 1, count }, guessedCost),
    )
    const ids = (cells: readonly (typeof plan.cells)[number][]) =>
      cells.flatMap((cell) => cell.scenarios.map(({ id }) => `${cell.id} ${id}`))
    assert.deepEqual(shards.flatMap(ids).sort(), ids(plan.cells).sort())
    assert.equal(shards.flatMap(ids).length, cases.length)
    const costs = shards.map((cells) =>
      cells.reduce((sum, cell) => sum + costSum(cell.scenarios, guessedCost), 0),
    )
    assert.ok(Math.max(...costs) < 1.25 * Math.min(...costs), costs.join())
    assert.deepEqual(shardOf(plan.cells, { index: 1, count }, guessedCost), shards[0])
  }
})

test('--plan chooses the clients, --clients beside it narrows them, and alone means all that they can run', () => {
  assert.deepEqual(
    [presetFor(undefined, undefined), presetFor(undefined, 'all'), presetFor(undefined, 'every')].map(
      ({ name }) => name,
    ),
    ['quick', 'standard', 'full'],
  )
  assert.deepEqual(presetFor(undefined, 'quick'), presetFor('quick', undefined))
  assert.deepEqual(
    [presetFor('full', 'kafkajs@*')].map(({ name, clients }) => [name, clients]),
    [['full', 'kafkajs@*']],
  )
  const named = presetFor(undefined, 'kafkajs')
  assert.deepEqual([named.name, named.breadth, named.leaves], ['named', null, null])
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
  assert.deepEqual(titles('kafkajs@2.2.3*'), ['kafkajs@2.2.3!'])
  assert.equal(titles('every').length, 5)
  assert.throws(() => titles('kafkajs@3.*'), /no known version is like that; there are 2\.2\.3 or 2\.2\.4/)
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

test('--level takes levels of the register', () => {
  const ids = (...levels: string[]) =>
    select(
      [...suite, scenario('x/y/z', 'raw', { level: 'SHOULD' })],
      { chapters: [], only: [], levels },
      register,
    )
  assert.deepEqual(
    ids('should').map(({ id }) => id),
    ['x/y/z'],
  )
  assert.equal(ids('MUST').length, suite.length)
  assert.throws(() => ids('MAY'), /--level MAY: there are MUST, DECLARED or SHOULD/)
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

test('--tag takes an expression of tags, also of those that a feature gives to its scenarios', async () => {
  const root = await featureFolder(`
@kafka
Feature: Tags
  @MC-3 @slow
  Scenario: Slow
    Given a topic
  @MC-6 @pulsar
  Scenario Outline: A <kind>
    Given a <kind>
    Examples:
      | kind |
      | one  |
      | two  |
`)
  const scenarios = await loadScenarios(register, undefined, root)
  const ids = async (expression: string) =>
    (await withTags(scenarios, expression, root)).map(({ id }) => id.split('/').at(-1))
  assert.deepEqual(await ids('@slow'), ['slow'])
  assert.deepEqual(await ids('not @slow'), ['a-kind#1', 'a-kind#2'])
  assert.deepEqual(await ids('@kafka and not (@pulsar or @MC-3)'), [])
  await assert.rejects(ids('@slow and'), /--tag '@slow and': not a tag expression/)
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
      'features/conversion/headers.feature:4: none of the tags @kafka, @pulsar, @raw, @pulsar-kafka-wrapper, @pulsar-admin, @kafka-admin',
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
