import type { Results } from '../results.js'
import { coverage } from './coverage.js'
import { Html, html } from './escape.js'
import { failures, notRun } from './failures.js'
import { resultList } from './list.js'
import { overview } from './overview.js'
import { script } from './script.js'
import { style } from './style.js'

/** The report for people: one file that needs no network and, but for filters and copying, no script. */
export function htmlReport(report: Results): string {
  const title = `${report.target.kind} ${report.target.version}: Kafka-on-Pulsar conformance`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#failures">Skip to what needs a look</a>
${overview(report)}
<main>
${failures(report)}
${notRun(report)}
${coverage(report)}
${resultList(report)}
</main>
<footer>
<p>kop-conformance ${report.suiteVersion} · run ${report.runId} · seed ${report.seed} · register ${report.registerDigest.slice(0, 12)} · schema ${report.schemaVersion}. The same, for machines: <a href="results.json">results.json</a>, <a href="junit.xml">junit.xml</a>, <a href="summary.md">summary.md</a>.</p>
</footer>
<script>${new Html(script)}</script>
</body>
</html>
`.markup
}
