import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SampleValues } from '../../kafka/wire/sample-values.js'
import { topicPattern } from './regex.js'

test('whole names match, as JavaScript itself would have it', () => {
  const values = new SampleValues(7)
  const pieces = [
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    '[a-c]',
    '(a|bc)',
    '(?:ab)',
    '\\.',
    '\\d',
    'a?',
    '',
    '-',
    '[\\w-]',
  ]
  const repeats = ['', '', '', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?']
  const letters = ['a', 'b', 'c', '.', '1', '-']
  const pick = (list: readonly string[]) => list[values.below(list.length)] ?? ''
  for (let round = 0; round < 2000; round++) {
    const part = () => {
      const piece = pick(pieces)
      return piece === '' || piece === 'a?' ? piece : piece + pick(repeats)
    }
    const pattern = `${part()}${part()}${values.below(3) === 0 ? '|' : ''}${part()}`
    const matches = topicPattern(pattern)
    const expected = new RegExp(`^(?:${pattern})$`)
    for (let name = 0; name < 5; name++) {
      const text = Array.from({ length: values.below(6) }, () => pick(letters)).join('')
      assert.equal(matches?.(text), expected.test(text), `${pattern} and "${text}"`)
    }
  }
})

test('anchors stand for the ends', () => {
  assert.equal(topicPattern('^orders-.*$')?.('orders-eu'), true)
  assert.equal(topicPattern('^orders-.*$')?.('old-orders-eu'), false)
  assert.equal(topicPattern('a^b')?.('ab'), false)
})

test('a pattern that drives others mad takes no time', () => {
  const matches = topicPattern('(a*)*(a|a)*(.*)*b')
  const startMs = performance.now()
  assert.equal(matches?.('a'.repeat(249)), false)
  assert.ok(performance.now() - startMs < 1000)
})

test('what is no pattern, or is left out, is refused', () => {
  for (const pattern of [
    '(',
    ')',
    '[a',
    '*',
    'a**',
    '(?=a)',
    '(?i)a',
    '\\1',
    '\\p{L}',
    '\\b',
    '[[:alpha:]]',
    'a{2,1}',
    'a{1001}',
    '((a{1000}){1000})',
    '\\',
    '[b-a]',
  ])
    assert.equal(topicPattern(pattern), null, pattern)
})
