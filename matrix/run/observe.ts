import type { Observation, ObservedVerdict } from '../judge/verdicts.js'
import type { Envelope, Pickle } from '../plan/gherkin.js'

/** How hooks say what a status of Cucumber cannot: `{verdict: 'unsupported' | 'could-not-run', reason}`. */
export const VERDICT_MEDIA = 'application/vnd.kop-conformance.verdict+json'
/** `{expected, seen, requirement?}` of the check that failed. */
export const FAILURE_MEDIA = 'application/vnd.kop-conformance.failure+json'
export const CLIENT_LOG_MEDIA = 'text/x.client-log+plain'
export const TARGET_LOG_MEDIA = 'text/x.target-log+plain'

export interface ObserverEvents {
  /** The scenario's place is `uri:line`, as the pickle has it. */
  onStarted(pickle: Pickle): void
  onObserved(pickle: Pickle, seen: Seen): void
}

/** An observation that does not know its cell and scenario id yet. */
export type Seen = Omit<Observation, 'cellId' | 'scenarioId'>

type StepResult = NonNullable<Envelope['testStepFinished']>['testStepResult']
type TestCase = NonNullable<Envelope['testCase']>

interface Running {
  readonly testCase: TestCase
  readonly pickle: Pickle
  readonly startedMs: number
  readonly results: { readonly testStepId: string; readonly result: StepResult }[]
  readonly attachments: { readonly mediaType: string; readonly body: string }[]
}

/** Longest log kept of a failure, its end. */
const LOG_CHARACTERS_MAX = 32 * 1024
const REASON_CHARACTERS_MAX = 2_000

/** Follows Cucumber's messages of one run and tells of each scenario once. */
export function observer(events: ObserverEvents): (envelope: Envelope) => void {
  const pickles = new Map<string, Pickle>()
  const testCases = new Map<string, TestCase>()
  const running = new Map<string, Running>()
  return (envelope) => {
    if (envelope.pickle) pickles.set(envelope.pickle.id, envelope.pickle)
    if (envelope.testCase) testCases.set(envelope.testCase.id, envelope.testCase)
    if (envelope.testCaseStarted) {
      const { id, testCaseId, timestamp } = envelope.testCaseStarted
      const testCase = testCases.get(testCaseId)
      const pickle = pickles.get(testCase?.pickleId ?? '')
      if (testCase === undefined || pickle === undefined) return
      running.set(id, {
        testCase,
        pickle,
        startedMs: millisecondsOf(timestamp),
        results: [],
        attachments: [],
      })
      events.onStarted(pickle)
    }
    if (envelope.attachment) {
      const { testCaseStartedId, mediaType, body, contentEncoding } = envelope.attachment
      const text = contentEncoding === 'BASE64' ? Buffer.from(body, 'base64').toString('utf8') : body
      running.get(testCaseStartedId ?? '')?.attachments.push({ mediaType, body: text })
    }
    if (envelope.testStepFinished) {
      const { testCaseStartedId, testStepId, testStepResult } = envelope.testStepFinished
      running.get(testCaseStartedId)?.results.push({ testStepId, result: testStepResult })
    }
    if (envelope.testCaseFinished) {
      const { testCaseStartedId, timestamp } = envelope.testCaseFinished
      const finished = running.get(testCaseStartedId)
      running.delete(testCaseStartedId)
      if (finished !== undefined)
        events.onObserved(finished.pickle, toSeen(finished, millisecondsOf(timestamp)))
    }
  }
}

function toSeen(finished: Running, endedMs: number): Seen {
  const { verdict, reason, step } = outcomeOf(finished)
  const failure = attachedObject(finished, FAILURE_MEDIA)
  // A message that comes with expected and seen repeats them in its further lines.
  const toldReason = failure === null ? reason : (reason?.split('\n')[0] ?? null)
  const isPassed = verdict === 'passed'
  return {
    verdict,
    milliseconds: Math.max(0, Math.round(endedMs - finished.startedMs)),
    reason: toldReason,
    expected: isPassed ? null : textOrNull(failure?.expected),
    seen: isPassed ? null : textOrNull(failure?.seen),
    requirementId: isPassed ? null : textOrNull(failure?.requirement),
    step: isPassed ? null : step,
    clientLog: isPassed ? null : attachedText(finished, CLIENT_LOG_MEDIA),
    targetLog: isPassed ? null : attachedText(finished, TARGET_LOG_MEDIA),
  }
}

interface Outcome {
  readonly verdict: ObservedVerdict
  readonly reason: string | null
  readonly step: string | null
}

function outcomeOf(finished: Running): Outcome {
  const worst =
    finished.results.find(({ result }) => result.status === 'FAILED') ??
    finished.results.find(({ result }) => result.status !== 'PASSED' && result.status !== 'SKIPPED') ??
    finished.results.find(({ result }) => result.status !== 'PASSED')
  const step = worst === undefined ? null : stepText(finished, worst.testStepId)
  const said = attachedObject(finished, VERDICT_MEDIA)
  if (said !== null && (said.verdict === 'unsupported' || said.verdict === 'could-not-run')) {
    return { verdict: said.verdict, reason: textOrNull(said.reason) ?? 'no reason given', step }
  }
  if (said !== null)
    return { verdict: 'failed', reason: `suite error: unknown verdict ${said.verdict}`, step }
  if (worst?.result.status === 'FAILED') {
    return { verdict: 'failed', reason: reasonOf(worst.result.message), step }
  }
  const mistake = suiteMistake(finished, worst?.result, step)
  if (mistake !== null) return { verdict: 'failed', reason: `suite error: ${mistake}`, step }
  return { verdict: 'passed', reason: null, step: null }
}

/** What must never count as passed: nothing was checked. */
function suiteMistake(finished: Running, worst: StepResult | undefined, step: string | null): string | null {
  if (finished.pickle.steps.length === 0) return 'the scenario has no steps'
  if (worst === undefined) return null
  const where = step === null ? 'a hook' : `the step “${step}”`
  if (worst.status === 'UNDEFINED') return `${where} has no definition`
  if (worst.status === 'AMBIGUOUS') return `${where} has several definitions`
  if (worst.status === 'PENDING') return `${where} is not written yet`
  return `${where} was skipped without a reason`
}

function stepText(finished: Running, testStepId: string): string | null {
  const testStep = finished.testCase.testSteps.find(({ id }) => id === testStepId)
  return finished.pickle.steps.find(({ id }) => id === testStep?.pickleStepId)?.text ?? null
}

/** The message without its stack. */
function reasonOf(message: string | undefined): string {
  const lines = (message ?? 'failed').split('\n')
  const stack = lines.findIndex((line) => /^\s+at /.test(line))
  const text = (stack > 0 ? lines.slice(0, stack) : lines).join('\n').trim()
  return text.replace(/^(?:(?:Assertion)?Error(?: \[\w+\])?|Mismatch): /, '').slice(0, REASON_CHARACTERS_MAX)
}

function attachedObject(finished: Running, mediaType: string): Record<string, unknown> | null {
  const attached = finished.attachments.findLast((attachment) => attachment.mediaType === mediaType)
  if (attached === undefined) return null
  try {
    return JSON.parse(attached.body) as Record<string, unknown>
  } catch {
    return { verdict: 'an attachment that is not JSON' }
  }
}

function attachedText(finished: Running, mediaType: string): string | null {
  const bodies = finished.attachments
    .filter((attachment) => attachment.mediaType === mediaType)
    .map(({ body }) => body)
  return bodies.length === 0 ? null : bodies.join('\n').slice(-LOG_CHARACTERS_MAX)
}

function textOrNull(value: unknown): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function millisecondsOf(timestamp: { seconds: number; nanos: number }): number {
  return timestamp.seconds * 1000 + timestamp.nanos / 1e6
}
