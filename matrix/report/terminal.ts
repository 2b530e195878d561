import { styleText } from 'node:util'
import Table from 'cli-table3'
import type { Verdict } from '../judge/verdicts.js'
import { blameAdvice, blamesLine, type FailureGroup, failureGroups } from './failures.js'
import type { Counts, Result, Results } from './results.js'
import { matrixOf, sum, sumsLine, worst } from './summary.js'

export interface TerminalOptions {
  readonly color: boolean
}

type Format = Parameters<typeof styleText>[0]
type Paint = (format: Format, text: string) => string

/** Cases of one cause that are written out; more are counted. */
const CASES_A_CAUSE = 3
const LINES_A_VALUE = 6

const colors: Record<Verdict, Format> = {
  failed: 'red',
  'stale-entry': 'red',
  'could-not-run': 'yellow',
  flaky: 'yellow',
  'known-failing': 'magenta',
  unsupported: 'gray',
  passed: 'green',
}

/** The whole of what `run` prints at its end. */
export function terminalReport(report: Results, options: TerminalOptions): string {
  const paint: Paint = (format, text) => (options.color ? styleText(format, text) : text)
  return [
    matrixTable(report, paint, options.color),
    ...failureGroups(report).map((group) => groupText(group, report, paint)),
    ...leftOutLines(report, paint),
    ...notRunLines(report, paint),
    lastLine(report, paint),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function matrixTable(report: Results, paint: Paint, color: boolean): string {
  const { chapters, rows } = matrixOf(report)
  if (rows.length === 0) return ''
  const table = new Table({
    head: ['client', ...chapters, 'all'],
    colAligns: ['left', ...chapters.map(() => 'right' as const), 'right'],
    style: { head: color ? ['bold'] : [], border: color ? ['gray'] : [], compact: true },
  })
  for (const row of rows) {
    table.push([
      row.title,
      ...row.counts.map((counts) => tableCell(counts, paint)),
      tableCell(row.total, paint),
    ])
  }
  return table.toString()
}

/** `12/12`, or `11/12 ✗1`: what passed of what could be judged. */
function tableCell(counts: Counts, paint: Paint): string {
  const verdict = worst(counts)
  if (verdict === null) return paint('gray', '·')
  const judged = sum(counts) - counts.unsupported
  if (judged === 0) return paint('gray', '–')
  const bad = counts.failed + counts['stale-entry'] + counts.flaky + counts['could-not-run']
  const text = `${counts.passed}/${judged}${bad > 0 ? ` ✗${bad}` : ''}`
  return paint(verdict === 'unsupported' ? 'green' : colors[verdict], text)
}

function groupText(group: FailureGroup, report: Results, paint: Paint): string {
  const head = `\n${paint('bold', group.requirementId)} ${group.level}  ${group.statement}`
  const causes = group.causes.map(({ reason, results }) => {
    const shown = results.slice(0, CASES_A_CAUSE).map((result) => caseText(result, report, paint))
    const more = results.length - shown.length
    const rest = more > 0 ? [paint('gray', `    … and ${more} more of the same reason`)] : []
    const advice = adviceLines(results, paint)
    return [`  ${paint('red', '✗')} ${indented(clip(reason), 4)}`, ...shown, ...rest, ...advice].join('\n')
  })
  return [head, ...causes].join('\n')
}

/** What to do about failures that are a client's or the suite's; entries of one text once. */
function adviceLines(results: readonly Result[], paint: Paint): string[] {
  const blame = results[0]?.blame ?? 'target'
  if (blame === 'target') return []
  const entries = new Set(results.map(({ knownFailingEntry }) => knownFailingEntry))
  const shown = [...entries].filter((entry) => entry !== null).slice(0, CASES_A_CAUSE)
  const advice = blame === 'client' && shown.length === 0 ? NOT_TOLD_APART : blameAdvice[blame]
  return [
    paint('magenta', `    ${advice}`),
    ...shown.map((entry) => `      ${indented(clipEntry(entry), 6)}`),
  ]
}

const NOT_TOLD_APART =
  'Does not count against the target. With another client ready it could be told from the suite’s.'

const clipEntry = (entry: string): string => entry.replace(/[^\P{Cc}\n]/gu, '\uFFFD')

function caseText(result: Result, report: Results, paint: Paint): string {
  const verdict = result.verdict === 'failed' ? '' : ` ${result.verdict}`
  const lines = [
    `    ${result.name}${paint('gray', `  [${result.cellId}]${verdict}  ${result.feature}:${result.line}`)}`,
  ]
  if (result.step !== null) lines.push(paint('gray', `      step      ${result.step}`))
  if (result.expected !== null) lines.push(`      expected  ${indented(clip(result.expected), 16)}`)
  if (result.seen !== null) lines.push(`      seen      ${indented(clip(result.seen), 16)}`)
  if (result.blame !== null) lines.push(`      blame     ${blameText(result, paint)}`)
  lines.push(`      repeat    ${paint('cyan', result.repeat)}`)
  if (report.partial) lines.push(paint('gray', '      (the run was interrupted)'))
  return lines.join('\n')
}

function blameText({ blame, blameReason }: Result, paint: Paint): string {
  const name = blame === 'target' ? paint('red', 'target') : paint('magenta', blame ?? '')
  return `${name}: ${clip(blameReason ?? '').split('\n')[0]}`
}

function clip(text: string): string {
  // A target's text must not steer the terminal.
  const lines = text
    .replace(/[^\P{Cc}\n\t]/gu, '\uFFFD')
    .trimEnd()
    .split('\n')
  const shown = lines
    .slice(0, LINES_A_VALUE)
    .map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line))
  return [...shown, ...(lines.length > LINES_A_VALUE ? ['…'] : [])].join('\n')
}

function indented(text: string, columns: number): string {
  return text.split('\n').join(`\n${' '.repeat(columns)}`)
}

function leftOutLines(report: Results, paint: Paint): string[] {
  return report.leftOut.map(({ reason, scenarioIds }) =>
    paint('gray', `\n${scenarioIds.length} scenarios left out: ${reason}`),
  )
}

function notRunLines(report: Results, paint: Paint): string[] {
  return report.notRun.map(({ name, version, reason, remedy, required }) => {
    const line = `could-not-run: ${name} ${version}: ${reason}`
    return `\n${paint(required ? 'red' : 'yellow', line)}\n  → ${remedy}`
  })
}

function lastLine(report: Results, paint: Paint): string {
  const seconds = (report.milliseconds / 1000).toFixed(1)
  const { verdicts, fatal } = report.summary
  const whose = blamesLine(report)
  const state = report.partial
    ? `partial: interrupted after ${report.results.length} of ${report.planned} cases`
    : fatal > 0
      ? `not conformant: ${fatal} required ${fatal === 1 ? 'thing' : 'things'} did not pass`
      : whose === ''
        ? 'every required case passed'
        : 'nothing required failed by the target'
  const color =
    report.partial || (fatal === 0 && whose !== '')
      ? 'yellow'
      : fatal > 0 || report.results.length === 0
        ? 'red'
        : 'green'
  const told = report.results.length === 0 && !report.partial ? 'nothing was run' : state
  return `\n${paint(['bold', color], told)}: ${sumsLine(verdicts)} in ${seconds} s (seed ${report.seed})${whose === '' ? '' : `\n${paint('magenta', whose)}`}`
}
