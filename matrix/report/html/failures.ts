import { blameAdvice, type FailureGroup, failureGroups } from '../failures.js'
import type { Result, ResultControl, Results } from '../results.js'
import { type Html, html } from './escape.js'
import { blameMark, command, prose, verdictMark } from './parts.js'

/** What needs a look, grouped by requirement and by shared reason. */
export function failures(report: Results): Html {
  const groups = failureGroups(report)
  if (groups.length === 0) {
    return html`<section id="failures"><h2>What needs a look</h2><p class="calm">Nothing: no case failed, and no entry of a known-failing list is out of date.</p></section>`
  }
  return html`<section id="failures">
<h2>What needs a look <span class="count">${groups.length} ${groups.length === 1 ? 'requirement' : 'requirements'}</span></h2>
${groups.map(groupSection)}
</section>`
}

function groupSection(group: FailureGroup): Html {
  return html`<article class="group">
<h3><span class="id">${group.requirementId}</span> <span class="tag">${group.level}</span>${group.from !== '' && html` <span class="from">${group.from}</span>`}</h3>
<blockquote>${prose(group.statement)}</blockquote>
${group.causes.map(
  ({ reason, results }) => html`<div class="cause">
<h4>${reason}</h4>
${results.slice(0, 1).map(caseSection)}
${results.length > 1 && html`<details class="alike"><summary>${results.length - 1} more ${results.length === 2 ? 'case' : 'cases'} of the same reason</summary>${results.slice(1).map(caseSection)}</details>`}
</div>`,
)}
</article>`
}

function caseSection(result: Result): Html {
  return html`<section class="case">
<p class="case-name">${verdictMark(result.verdict)} ${blameMark(result.blame)}<b>${result.name}</b></p>
<p class="where">${result.cellId} · <span class="file">${result.feature}:${result.line}</span></p>
${result.step !== null && html`<p class="step"><span class="label">at the step</span> ${result.step}</p>`}
${(result.expected !== null || result.seen !== null) && versus(result)}
${blame(result)}
${command(result.repeat)}
${log('Client’s log', result.clientLog)}${log('Target’s log', result.targetLog)}
</section>`
}

/** Whose it is, how that is known, and what to do when it is not the target's. */
function blame({ blame: whose, blameReason, control, knownFailingEntry }: Result): Html | null {
  if (whose === null) return null
  const advice = whose === 'client' && knownFailingEntry === null ? '' : blameAdvice[whose]
  return html`<div class="blame ${whose}">
<p><span class="label">blame</span> <b>${whose}</b>: ${blameReason ?? ''}</p>
${advice !== '' && html`<p class="hint">${advice}</p>`}
${knownFailingEntry !== null && html`<div class="command entry"><pre>${knownFailingEntry}</pre><button type="button" class="copy" data-copy="${knownFailingEntry}">Copy</button></div>`}
${control !== null && control.tries.length > 0 && tries(control)}
</div>`
}

function tries({ kind, version, tries: all }: ResultControl): Html {
  return html`<details><summary>What ${kind} ${version} showed</summary><ul class="tries">${all.map(
    ({ cellId, verdict, reason }) =>
      html`<li>${verdictMark(verdict)} ${cellId}${reason !== null && html`<span class="reason">${reason}</span>`}</li>`,
  )}</ul></details>`
}

function versus(result: Result): Html {
  return html`<dl class="versus">
<div class="expected"><dt>expected</dt><dd><pre>${result.expected ?? '—'}</pre></dd></div>
<div class="seen"><dt>seen</dt><dd><pre>${result.seen ?? '—'}</pre></dd></div>
</dl>`
}

function log(title: string, text: string | null): Html | null {
  return text === null
    ? null
    : html`<details><summary>${title}</summary><pre class="log">${text}</pre></details>`
}

/** Clients that could not be had and scenarios that no cell runs: nothing is left out without a line. */
export function notRun(report: Results): Html | null {
  if (report.notRun.length + report.leftOut.length === 0) return null
  return html`<section id="not-run">
<h2>Not run</h2>
<ul class="not-run">${report.notRun.map(
    ({ name, version, reason, remedy, required }) =>
      html`<li><p><b>${name} ${version}</b> ${required && html`<span class="tag bad">required</span>`} ${reason}</p><p class="hint">${remedy}</p></li>`,
  )}${report.leftOut.map(
    ({ reason, scenarioIds }) =>
      html`<li><details><summary><b>${scenarioIds.length} scenarios</b> ${reason}</summary><p class="hint">${scenarioIds.join(', ')}</p></details></li>`,
  )}</ul>
</section>`
}
