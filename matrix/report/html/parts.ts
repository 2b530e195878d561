import type { Blame } from '../../judge/blame.js'
import { type Verdict, verdicts } from '../../judge/verdicts.js'
import type { Counts } from '../results.js'
import { sum } from '../summary.js'
import { type Html, html } from './escape.js'

/** A sign beside the colour: nobody has to tell red from green. */
export const signs: Record<Verdict, string> = {
  passed: '✓',
  failed: '✗',
  'stale-entry': '⚑',
  'could-not-run': '!',
  flaky: '~',
  'known-failing': '✗',
  unsupported: '–',
}

export function verdictMark(verdict: Verdict): Html {
  return html`<span class="mark ${verdict}"><span aria-hidden="true">${signs[verdict]}</span> ${verdict}</span>`
}

/** Beside a failure that is not the target's. */
export function blameMark(blame: Blame | null): Html | null {
  if (blame === null || blame === 'target') return null
  return html`<span class="tag blamed">${blame === 'client' ? 'the client’s' : 'the suite’s'}</span> `
}

/** A bar whose parts are as long as the counts, with the counts told beside it. */
export function verdictBar(counts: Counts): Html {
  const there = verdicts.toReversed().filter((verdict) => counts[verdict] > 0)
  return html`<div class="bar" aria-hidden="true">${there.map(
    (verdict) => html`<span class="${verdict}" style="flex-grow:${counts[verdict]}"></span>`,
  )}</div>
<ul class="told">${there.map((verdict) => html`<li><span class="dot ${verdict}" aria-hidden="true"></span>${counts[verdict]} ${verdict}</li>`)}</ul>`
}

/** Cases that could be judged: what is unsupported says nothing about the target. */
export function judged(counts: Counts): number {
  return sum(counts) - counts.unsupported
}

export function command(text: string): Html {
  return html`<div class="command"><code>${text}</code><button type="button" class="copy" data-copy="${text}">Copy</button></div>`
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`
}

/** The register's text: what stands in backticks is code. */
export function prose(text: string): Html {
  const parts = text.split('`')
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}
