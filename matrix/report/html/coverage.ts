import type { Results } from '../results.js'
import { countVerdicts, worst } from '../summary.js'
import { type Html, html } from './escape.js'
import { judged, prose, verdictMark } from './parts.js'

type Requirement = Results['requirements'][number]

/** Every promise of the register: which scenarios show it, and what came of them. */
export function coverage(report: Results): Html {
  const shown = report.requirements.filter(({ scenarios }) => scenarios > 0).length
  return html`<section id="coverage">
<h2>Coverage of the register <span class="count">${shown} of ${report.requirements.length} requirements have scenarios</span></h2>
${report.chapters.map(({ id, title }) => chapterSection(id, title, report))}
</section>`
}

function chapterSection(id: string, title: string, report: Results): Html {
  const requirements = report.requirements.filter(({ chapter }) => chapter === id)
  const shown = requirements.filter(({ scenarios }) => scenarios > 0).length
  return html`<details class="chapter">
<summary><b>${id}</b> ${title} <span class="count">${shown}/${requirements.length}</span></summary>
<table class="register">
<thead><tr><th scope="col">Requirement</th><th scope="col">Statement</th><th scope="col">Scenarios</th><th scope="col">Cases</th></tr></thead>
<tbody>${requirements.map((requirement) => requirementRow(requirement, report))}</tbody>
</table>
</details>`
}

function requirementRow(requirement: Requirement, report: Results): Html {
  const { id, level, statement, from, scenarios, later, certification } = requirement
  const counts = countVerdicts(report.results.filter(({ requirementIds }) => requirementIds.includes(id)))
  const verdict = worst(counts)
  const told = verdict === null ? (later ?? (scenarios === 0 ? 'no scenario yet' : 'not run')) : null
  return html`<tr>
<th scope="row"><span class="id">${id}</span><small>${level}${certification !== undefined && certification !== 'core' && ` · ${certification}`}</small></th>
<td>${prose(statement)} ${from !== '' && html`<small class="from">${from}</small>`}</td>
<td class="number">${scenarios}</td>
<td>${verdict === null ? html`<small>${told}</small>` : html`${verdictMark(verdict)} <small>${counts.passed}/${judged(counts)}</small>`}</td>
</tr>`
}
