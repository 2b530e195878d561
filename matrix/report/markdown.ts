import { blameAdvice, blamesLine, failureGroups } from './failures.js'
import type { Counts, Result, Results } from './results.js'
import { matrixOf, sum, sumsLine } from './summary.js'

/** A summary for a pull request or a CI page. */
export function markdownReport(report: Results): string {
  return `${[
    `# Kafka-on-Pulsar conformance: ${cellText(report.target.kind)} ${cellText(report.target.version)}`,
    report.partial ? '> **Partial**: the run was interrupted, results are missing.' : '',
    `${sumsLine(report.summary.verdicts)} in ${(report.milliseconds / 1000).toFixed(1)} s. ` +
      `Profile \`${report.target.profile.name}\`, suite ${report.suiteVersion}, seed ${report.seed}, ` +
      `${report.startedAt.slice(0, 10)}.`,
    blamesLine(report) === '' ? '' : `> ${cellText(blamesLine(report))}.`,
    matrixSection(report),
    failureSection(report),
    notRunSection(report),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

function matrixSection(report: Results): string {
  const { chapters, rows } = matrixOf(report)
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(['client', ...chapters, 'all']),
    line(['---', ...chapters.map(() => '---:'), '---:']),
    ...rows.map((row) => line([cellText(row.title), ...row.counts.map(fraction), fraction(row.total)])),
  ].join('\n')
}

function fraction(counts: Counts): string {
  const judged = sum(counts) - counts.unsupported
  if (judged === 0) return sum(counts) === 0 ? '·' : '–'
  return counts.passed === judged ? `${counts.passed}/${judged}` : `**${counts.passed}/${judged}**`
}

function failureSection(report: Results): string {
  const groups = failureGroups(report)
  if (groups.length === 0) return ''
  const texts = groups.map((group) => {
    const causes = group.causes.map(({ reason, results }) => {
      const first = results[0]
      const more = results.length > 1 ? ` (${results.length} cases)` : ''
      return `- ${cellText(reason)}${more}${first === undefined ? '' : blameText(first)}\n  \`\`\`sh\n  ${first?.repeat ?? ''}\n  \`\`\``
    })
    return [`### ${group.requirementId} ${group.level}`, cellText(group.statement), ...causes].join('\n\n')
  })
  return ['## To look at', ...texts].join('\n\n')
}

/** Whose it is, and for a client's the entry to paste. */
function blameText({ blame, blameReason, knownFailingEntry }: Result): string {
  if (blame === null) return ''
  const told = `\n  Blame: **${blame}**. ${cellText(blameReason ?? '')}.`
  const advice = blame === 'client' && knownFailingEntry === null ? '' : blameAdvice[blame]
  const entry = knownFailingEntry?.replaceAll('`', "'").replaceAll('\n', '\n  ')
  return `${told} ${advice}`.trimEnd() + (entry === undefined ? '' : `\n  \`\`\`yaml\n  ${entry}\n  \`\`\``)
}

function notRunSection(report: Results): string {
  if (report.notRun.length === 0) return ''
  const lines = report.notRun.map(
    ({ name, version, reason, remedy }) =>
      `- ${cellText(`${name} ${version}: ${reason}`)}; ${cellText(remedy)}`,
  )
  return ['## Could not run', lines.join('\n')].join('\n\n')
}

/** Text that may hold anything, as Markdown that shows it: no markup, no line breaks, no table bars. */
export function cellText(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>|#]/g, (character) => `\\${character}`)
    .replace(/\s*\n\s*/g, ' ')
    .slice(0, 500)
}
