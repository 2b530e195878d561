import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

interface Requirement {
  readonly id: string
  readonly chapter: string
  readonly level: string
  readonly statement: string
  readonly later?: string
}

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..')
const folder = join(root, 'features')
const { requirements, chapters } = parse(readFileSync(join(folder, 'requirements.yaml'), 'utf8')) as {
  requirements: Requirement[]
  chapters: { id: string }[]
}
const features = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.feature'))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
const tags = features.flatMap(({ name, text }) =>
  [...text.matchAll(/^\s*(@.+)$/gm)].flatMap(([, line = '']) =>
    line
      .trim()
      .split(/\s+/)
      .map((tag) => ({ feature: name, tag })),
  ),
)
const shown = new Set(tags.map(({ tag }) => tag.slice(1)))

test('every requirement has one id, of its chapter', () => {
  const ids = requirements.map(({ id }) => id)
  assert.deepEqual(ids, [...new Set(ids)])
  for (const { id, chapter } of requirements) assert.ok(id.startsWith(`${chapter}-`), id)
  const known = chapters.map(({ id }) => id)
  assert.deepEqual([...new Set(requirements.map(({ chapter }) => chapter))].sort(), [...known].sort())
})

test('every tag of a scenario is a requirement, a world, a tool or a power', () => {
  const known = new Set(requirements.map(({ id }) => id))
  const others =
    /^(kafka|pulsar|raw|pulsar-kafka-wrapper|pulsar-admin|kafka-admin|power-(restart|kill|configure|fail-store|roll-over)|slow)$/
  const unknown = tags.filter(({ tag }) => !known.has(tag.slice(1)) && !others.test(tag.slice(1)))
  assert.deepEqual(unknown, [])
})

test('every requirement has a scenario, or says why it has none yet, and not both', () => {
  const without = requirements.filter(({ id, later }) => !shown.has(id) && later === undefined)
  assert.deepEqual(
    without.map(({ id }) => id),
    [],
  )
  const stale = requirements.filter(({ id, later }) => shown.has(id) && later !== undefined)
  assert.deepEqual(
    stale.map(({ id }) => id),
    [],
  )
})

test('what the first chapters leave for later is only what needs more than one broker or transactions', () => {
  const first = ['PH', 'MT', 'TL', 'MC', 'ID', 'PR', 'CO']
  const later = requirements.filter(
    ({ chapter, later: reason }) => first.includes(chapter) && reason !== undefined,
  )
  const expected = ['TL-3', 'TL-4', 'TL-5', 'PR-9', 'PR-10', 'PR-11']
  assert.deepEqual(later.map(({ id }) => id).sort(), [...expected].sort())
})

test('every scenario carries a requirement and stands under a rule', () => {
  for (const { name, text } of features) {
    let tagged = false
    let ruled = false
    for (const line of text.split('\n').map((each) => each.trim())) {
      if (line.startsWith('@')) tagged = /@[A-Z]{2}-\d+/.test(line)
      if (line.startsWith('Rule:')) ruled = true
      if (!/^Scenario( Outline)?:/.test(line)) continue
      assert.ok(tagged && ruled, `${name}: ${line}`)
      tagged = false
    }
  }
})

test('every rule is the statement of the requirement that its scenarios show first', () => {
  const statements = new Map(requirements.map(({ id, statement }) => [id, statement.replace(/\.$/, '')]))
  for (const { name, text } of features) {
    for (const part of text.split(/^ {2}Rule: /m).slice(1)) {
      const [rule = '', ...lines] = part.split('\n')
      const ids = lines.flatMap((line) => /^\s*@([A-Z]{2}-\d+)/.exec(line)?.[1] ?? [])
      assert.ok(ids.length > 0, `${name}: ${rule}`)
      for (const id of new Set(ids)) assert.equal(rule, statements.get(id), `${name}: the rule above @${id}`)
    }
  }
})

test('the Gherkin speaks of no port, sleep or library', () => {
  for (const { name, text } of features) {
    assert.doesNotMatch(
      text,
      /kafkajs|librdkafka|platformatic|sleep|localhost|127\.0\.0\.1|:9092|:6650/i,
      name,
    )
  }
})
