import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadRegister } from '../plan/register.js'
import { packageRoot } from '../root.js'
import { answerProblem, vocabulary } from './vocabulary.js'

/** The rows of the table, their cells without the padding. */
function rowsOf(markdown: string): string[][] {
  const [, table = ''] = markdown.split('## Answers')
  return table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
}

test('the table of profiles/README.md is the vocabulary', async () => {
  const readme = await readFile(join(packageRoot, 'matrix', 'targets', 'profiles', 'README.md'), 'utf8')
  const expected = Object.entries(vocabulary).flatMap(([id, forms]) =>
    forms.map(({ shown, meaning }, index) => [index === 0 ? id : '', shown, meaning]),
  )
  assert.deepEqual(rowsOf(readme), expected)
})

test('every requirement with answers is in the register', () => {
  const { byId } = loadRegister()
  assert.deepEqual(
    Object.keys(vocabulary).filter((id) => !byId.has(id)),
    [],
  )
})

test('what is meant is told of a mistyped answer', () => {
  assert.equal(answerProblem('ID-3', 'indx'), 'indx is no answer; did you mean index?')
  assert.equal(
    answerProblem('MC-16', { heder: 'x' }),
    '{"heder":"x"} is no answer; did you mean header: NAME?',
  )
  assert.equal(answerProblem('PT-2', 7), '7 is no answer; there are messages or entries')
  assert.equal(answerProblem('GC-8', 'many'), 'many is no answer; there is a number')
  assert.equal(
    answerProblem('PT-1', { syncPeriodMs: 'often' }),
    '{"syncPeriodMs":"often"} is no answer; there is syncPeriodMs: number',
  )
})

test('answers of every form are taken, and what the suite cannot check yet when it says so', () => {
  const answers: [string, unknown][] = [
    ['PH-3', { listedButRefused: { Produce: [0, 1, 2] } }],
    ['MT-1', 'public/default'],
    ['TL-6', 'one:9092, two:9092'],
    ['MC-7', { property: 'my.headers' }],
    ['GC-8', 4096],
    ['GC-13', 'public/kafka/__offsets'],
    ['GC-13', { topic: 'public/kafka/__offsets', format: 'kafka', group: 'full' }],
    ['PT-5', { checkIntervalMs: 0.5 }],
    ['MC-17', { other: 'delayed messages are shown when they are due' }],
  ]
  for (const [id, answer] of answers) assert.equal(answerProblem(id, answer), null, id)
})
