import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Envelope } from '../plan/gherkin.js'
import { FAILURE_MEDIA, observer, type Seen, VERDICT_MEDIA } from './observe.js'

interface Step {
  readonly status: string
  readonly message?: string
  readonly attach?: readonly (readonly [mediaType: string, body: string])[]
}

/** The messages that Cucumber sends for one scenario with these steps. */
function seenOf(steps: readonly Step[]): Seen {
  const seen: Seen[] = []
  const take = observer({ onStarted: () => {}, onObserved: (_pickle, each) => seen.push(each) })
  const send = (envelope: object) => take(envelope as Envelope)
  const at = (seconds: number) => ({ timestamp: { seconds, nanos: 500_000_000 } })
  send({ pickle: { id: 'p', steps: steps.map((_, n) => ({ id: `ps${n}`, text: `step ${n}` })) } })
  send({
    testCase: {
      id: 'c',
      pickleId: 'p',
      testSteps: steps.map((_, n) => ({ id: `s${n}`, pickleStepId: `ps${n}` })),
    },
  })
  send({ testCaseStarted: { id: 'r', testCaseId: 'c', ...at(10) } })
  for (const [n, { status, message, attach = [] }] of steps.entries()) {
    for (const [mediaType, body] of attach) {
      send({ attachment: { testCaseStartedId: 'r', mediaType, body, contentEncoding: 'IDENTITY' } })
    }
    send({
      testStepFinished: { testCaseStartedId: 'r', testStepId: `s${n}`, testStepResult: { status, message } },
    })
  }
  send({ testCaseFinished: { testCaseStartedId: 'r', ...at(12) } })
  assert.equal(seen.length, 1)
  return seen[0] as Seen
}

const outcome = (...steps: Step[]) => {
  const { verdict, reason } = seenOf(steps)
  return `${verdict}: ${reason}`
}

test('all steps passed is passed, and takes the time that it took', () => {
  const seen = seenOf([{ status: 'PASSED' }, { status: 'PASSED' }])
  assert.equal(seen.verdict, 'passed')
  assert.equal(seen.milliseconds, 2000)
})

test('a failed step gives its message without the stack, its text, and what was expected and seen', () => {
  const seen = seenOf([
    { status: 'PASSED' },
    {
      status: 'FAILED',
      message: 'AssertionError [ERR_ASSERTION]: offsets differ\nby one\n    at check (steps.js:1:1)',
      attach: [[FAILURE_MEDIA, '{"expected":"5","seen":6,"requirement":"ID-5"}']],
    },
    { status: 'SKIPPED' },
  ])
  const { verdict, reason, step, expected, seen: found, requirementId } = seen
  assert.deepEqual(
    { verdict, reason, step, expected, found, requirementId },
    {
      verdict: 'failed',
      reason: 'offsets differ',
      step: 'step 1',
      expected: '5',
      found: '6',
      requirementId: 'ID-5',
    },
  )
})

test('a message without expected and seen is kept whole', () => {
  const message = 'TimeoutError: no answer\nafter 5 s\n    at x'
  assert.equal(outcome({ status: 'FAILED', message }), 'failed: TimeoutError: no answer\nafter 5 s')
})

test("a hook's verdict comes before Cucumber's status", () => {
  const said = (body: string): Step => ({ status: 'FAILED', message: 'x', attach: [[VERDICT_MEDIA, body]] })
  assert.equal(outcome(said('{"verdict":"unsupported","reason":"no zstd"}')), 'unsupported: no zstd')
  assert.equal(outcome(said('{"verdict":"could-not-run"}')), 'could-not-run: no reason given')
  assert.match(outcome(said('{"verdict":"passed"}')), /^failed: suite error: unknown verdict passed/)
  assert.match(outcome(said('oops')), /^failed: suite error/)
})

test('nothing counts as passed that was not checked', () => {
  assert.equal(outcome(), 'failed: suite error: the scenario has no steps')
  assert.match(
    outcome({ status: 'PASSED' }, { status: 'UNDEFINED' }),
    /suite error: the step “step 1” has no definition/,
  )
  assert.match(outcome({ status: 'AMBIGUOUS' }), /several definitions/)
  assert.match(outcome({ status: 'PENDING' }), /not written yet/)
  assert.match(outcome({ status: 'SKIPPED' }), /skipped without a reason/)
})
