import { blamesLine } from '../failures.js'
import type { Counts, Results } from '../results.js'
import { type MatrixRow, matrixOf, sum, worst } from '../summary.js'
import { type Html, html } from './escape.js'
import { duration, judged, verdictBar } from './parts.js'

const levelMeaning = {
  MUST: 'what a conformant target has to do',
  DECLARED: 'held to the answer of its own profile',
  SHOULD: 'reported, never fatal',
}

const targetTitles: Readonly<Record<string, string>> = {
  reference: 'Reference broker',
  kafka: 'Apache Kafka',
  pulsar: 'Apache Pulsar',
  endpoint: 'Running system',
}

/** The first screen: who, when, the verdict by level, and clients × chapters. */
export function overview(report: Results): Html {
  const { kind, version, profile, endpoints } = report.target
  return html`<header class="top">
<div class="head">
<div>
<p class="eyebrow">Kafka-on-Pulsar conformance</p>
<h1>${targetTitles[kind] ?? kind} <span class="version">${version}</span></h1>
<p class="sub"><time datetime="${report.startedAt}">${dateText(report.startedAt)}</time> · ${report.results.length} cases in ${duration(report.milliseconds)} · profile <b>${profile.name}</b>${settingsText(report)}${kind === 'endpoint' && html` · ${Object.values(endpoints).join(', ')}`}</p>
</div>
${state(report)}
</div>
${report.partial && html`<p class="notice"><b>Partial report.</b> The run was interrupted after ${report.results.length} of ${report.planned} cases: what is missing here was not run, and nothing can be concluded from it.</p>`}
${blamesLine(report) !== '' && html`<p class="notice blamed"><b>Not all failures are the target’s.</b> ${blamesNotice(report)}</p>`}
<div class="levels">${report.summary.byLevel.map(
    ({ level, verdicts }) => html`<section class="level">
<h2>${level} <small>${levelMeaning[level]}</small></h2>
${passedOfJudged(verdicts)}
${verdictBar(verdicts)}
</section>`,
  )}</div>
${heatMap(report)}
</header>`
}

function passedOfJudged(counts: Counts): Html {
  if (judged(counts) === 0)
    return html`<p class="big"><span class="of">–</span> <span class="unit">nothing to judge here</span></p>`
  return html`<p class="big">${counts.passed}<span class="of">/${judged(counts)}</span> <span class="unit">passed</span></p>`
}

function state(report: Results): Html {
  if (report.partial) return html`<p class="state partial">Partial</p>`
  if (report.results.length === 0) return html`<p class="state bad">Nothing was run</p>`
  return report.summary.fatal === 0
    ? html`<p class="state good">${blamesLine(report) === '' ? 'Every required case passed' : 'No required failure of the target'}</p>`
    : html`<p class="state bad">${report.summary.fatal} required did not pass</p>`
}

function blamesNotice(report: Results): string {
  const line = blamesLine(report)
  return `${line[0]?.toUpperCase()}${line.slice(1)}. What needs a look says how that is known.`
}

function settingsText(report: Results): string {
  const settings = Object.entries(report.target.settings).map(([name, value]) => `${name}=${value}`)
  return settings.length === 0 ? '' : ` · ${settings.join(', ')}`
}

function dateText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}

function heatMap(report: Results): Html {
  const { chapters, rows } = matrixOf(report)
  const titles = new Map(report.chapters.map(({ id, title }) => [id, title]))
  return html`<section class="heat" aria-labelledby="heat-title">
<h2 id="heat-title">Clients, tools and chapters</h2>
<div class="scroll" role="region" aria-labelledby="heat-title" tabindex="0">
<table>
<thead><tr><th scope="col">Client</th>${chapters.map(
    (id) => html`<th scope="col"><b>${id}</b><small>${titles.get(id) ?? ''}</small></th>`,
  )}<th scope="col"><b>All</b></th></tr></thead>
<tbody>${rows.map((row) => heatRow(row, chapters))}</tbody>
</table>
</div>
<p class="hint">Passed of those that could be judged. A case of several clients or tools counts in the row of each. Choose a field to list its cases.</p>
</section>`
}

function heatRow(row: MatrixRow, chapters: readonly string[]): Html {
  return html`<tr><th scope="row">${row.title} <small>${row.world}</small></th>${chapters.map(
    (chapter, index) => heatCell(row.counts[index] as Counts, row.title, chapter),
  )}${heatCell(row.total, row.title, '')}</tr>`
}

function heatCell(counts: Counts, client: string, chapter: string): Html {
  const verdict = worst(counts)
  if (verdict === null) return html`<td class="none"><span class="hidden">not run</span></td>`
  const count = judged(counts)
  const text = count === 0 ? '–' : `${counts.passed}/${count}`
  const told = Object.entries(counts)
    .filter(([, each]) => each > 0)
    .map(([name, each]) => `${each} ${name}`)
    .join(', ')
  const shade = count === 0 ? 'unsupported' : verdict === 'unsupported' ? 'passed' : verdict
  return html`<td class="${shade}"><a href="#results" data-client="${client}" data-chapter="${chapter}" title="${client}, ${chapter || 'all chapters'}: ${told}">${text}<span class="hidden"> (${told}; ${sum(counts)} in all)</span></a></td>`
}
