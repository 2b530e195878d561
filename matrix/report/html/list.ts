import { verdicts } from '../../judge/verdicts.js'
import { clientsOf } from '../../plan/cells.js'
import type { Result, ResultCell, Results } from '../results.js'
import { matrixOf } from '../summary.js'
import { type Html, html } from './escape.js'
import { blameMark, command, duration, verdictMark } from './parts.js'

/** Every result, with filters by text, verdict, chapter and client. Worst first, then in the order of the plan. */
export function resultList(report: Results): Html {
  const { chapters, rows } = matrixOf(report)
  const cells = new Map(report.cells.map((cell) => [cell.id, cell]))
  const sorted = report.results.toSorted((a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict))
  return html`<section id="results">
<h2>All results <span class="count" id="shown" aria-live="polite">${report.results.length}</span></h2>
<form class="filters" id="filters">
<label>Search <input type="search" name="text" placeholder="scenario, requirement, reason"></label>
${choice('verdict', 'Verdict', [...new Set(sorted.map(({ verdict }) => verdict))])}
${choice('chapter', 'Chapter', chapters)}
${choice(
  'client',
  'Client',
  rows.map(({ title }) => title),
)}
<button type="reset">Clear</button>
</form>
<table class="results">
<thead><tr><th scope="col">Verdict</th><th scope="col">Scenario</th><th scope="col">Requirements</th><th scope="col">Cell</th><th scope="col" class="number">Time</th></tr></thead>
<tbody id="rows">${sorted.map((result) => resultRow(result, cells.get(result.cellId)))}</tbody>
</table>
<p class="calm" id="no-rows" hidden>No result has all of that.</p>
</section>`
}

function choice(name: string, label: string, values: readonly string[]): Html {
  return html`<label>${label} <select name="${name}"><option value="">all</option>${values.map(
    (value) => html`<option>${value}</option>`,
  )}</select></label>`
}

function resultRow(result: Result, cell: ResultCell | undefined): Html {
  return html`<tr data-verdict="${result.verdict}" data-chapter="${result.chapter}" data-client="${rowsOf(cell)}">
<td>${verdictMark(result.verdict)} ${blameMark(result.blame)}</td>
<td><details><summary>${result.name}</summary>
<p class="where">${result.scenarioId} · <span class="file">${result.feature}:${result.line}</span>${result.rule !== null && html`<br>${result.rule}`}</p>
${command(result.repeat)}</details>${result.reason !== null && html`<p class="reason">${result.reason}</p>`}</td>
<td>${result.requirementIds.join(' ')} <small>${result.level}</small></td>
<td>${result.cellId}</td>
<td class="number">${duration(result.milliseconds)}</td>
</tr>`
}

/** The rows of the heat map that the cell counts in, one a line. */
function rowsOf(cell: ResultCell | undefined): string {
  if (cell === undefined) return ''
  return [
    ...(cell.worlds === 'raw' ? ['raw requests'] : []),
    ...clientsOf(cell).map(({ name, version }) => `${name} ${version}`),
  ].join('\n')
}
