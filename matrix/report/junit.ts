import type { Result, Results } from './results.js'

/**
 * JUnit XML as CI systems read it: a suite a cell, a case a scenario. Written by hand: the format is five elements, and
 * all text goes through `xml`.
 */
export function junitReport(report: Results): string {
  const suites = report.cells.map((cell) => {
    const own = report.results.filter(({ cellId }) => cellId === cell.id)
    return suite(cell.id, own)
  })
  const attributes = attributesOf({
    name: `kop-conformance ${report.target.kind} ${report.target.version}`,
    ...totals(report.results),
    time: seconds(report.milliseconds),
    timestamp: report.startedAt,
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${attributes}>\n${suites.join('')}${notRunSuite(report)}</testsuites>\n`
}

function suite(name: string, own: readonly Result[]): string {
  const time = own.reduce((total, { milliseconds }) => total + milliseconds, 0)
  const attributes = attributesOf({ name, ...totals(own), time: seconds(time) })
  return `  <testsuite ${attributes}>\n${own.map(testCase).join('')}  </testsuite>\n`
}

function testCase(result: Result): string {
  const attributes = attributesOf({
    classname: result.scenarioId.split('/').slice(0, 2).join('.'),
    name: `${result.name} [${result.requirementIds.join(', ')}]`,
    file: result.feature,
    line: result.line,
    time: seconds(result.milliseconds),
  })
  const inner = outcome(result)
  if (inner === '') return `    <testcase ${attributes}/>\n`
  return `    <testcase ${attributes}>\n      ${inner}\n    </testcase>\n`
}

function outcome(result: Result): string {
  const whose = result.blame === null || result.blame === 'target' ? '' : `${result.blame}'s failure: `
  const told = `${whose}${firstLine(result.reason ?? result.verdict)}`
  const message = attributesOf({ message: told, type: result.verdict })
  if (isFailure(result)) return `<failure ${message}>${xml(detail(result))}</failure>`
  if (isError(result)) return `<error ${message}>${xml(detail(result))}</error>`
  if (!isSkipped(result)) return ''
  return whose === '' ? `<skipped ${message}/>` : `<skipped ${message}>${xml(detail(result))}</skipped>`
}

/** What is not fatal (a SHOULD) must not turn a build red. */
const isFailure = (result: Result) => result.fatal && result.verdict !== 'could-not-run'
const isError = (result: Result) => result.fatal && result.verdict === 'could-not-run'
const isSkipped = (result: Result) => !result.fatal && result.verdict !== 'passed'

function totals(own: readonly Result[]): Record<string, number> {
  return {
    tests: own.length,
    failures: own.filter(isFailure).length,
    errors: own.filter(isError).length,
    skipped: own.filter(isSkipped).length,
  }
}

function detail(result: Result): string {
  return [
    result.reason,
    result.step === null ? null : `step: ${result.step}`,
    result.expected === null ? null : `expected: ${result.expected}`,
    result.seen === null ? null : `seen: ${result.seen}`,
    result.blame === null ? null : `blame: ${result.blame}: ${result.blameReason}`,
    result.knownFailingEntry,
    `repeat: ${result.repeat}`,
  ]
    .filter((line) => line !== null)
    .join('\n')
}

/** Required clients that could not be had are errors of the build. */
function notRunSuite(report: Results): string {
  if (report.notRun.length === 0) return ''
  const errors = report.notRun.filter(({ required }) => required).length
  const attributes = attributesOf({
    name: 'clients',
    tests: report.notRun.length,
    failures: 0,
    errors,
    skipped: report.notRun.length - errors,
  })
  const cases = report.notRun.map(({ name, version, reason, remedy, required }) => {
    const message = attributesOf({ message: `${reason}; ${remedy}`, type: 'could-not-run' })
    const element = required ? 'error' : 'skipped'
    return `    <testcase ${attributesOf({ classname: 'clients', name: `${name} ${version}` })}>\n      <${element} ${message}/>\n    </testcase>\n`
  })
  return `  <testsuite ${attributes}>\n${cases.join('')}  </testsuite>\n`
}

function attributesOf(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${xml(String(value)).replaceAll('\n', '&#10;')}"`)
    .join(' ')
}

/** Escapes markup and drops what XML 1.0 cannot hold at all. */
export function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(3)
const firstLine = (text: string) => text.split('\n')[0] ?? ''
