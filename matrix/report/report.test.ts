import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { exitCodeOf } from '../commands/report.js'
import { parseKnownFailing } from '../judge/known-failing.js'
import { repeatCommand, shellWord } from '../plan/repeat.js'
import { packageRoot } from '../root.js'
import { failureGroups, sharedReason } from './failures.js'
import { escapeText, html } from './html/escape.js'
import { htmlReport } from './html/page.js'
import { junitReport, xml } from './junit.js'
import { cellText, markdownReport } from './markdown.js'
import { type Results, resultsSchema } from './results.js'
import { matrixOf, sum, sumsLine } from './summary.js'
import { syntheticResults } from './synthetic.js'
import { terminalReport } from './terminal.js'
import { removeReports, writeReports } from './write.js'

const HOSTILE = `<img src=x onerror=alert(1)>"'&]]>\u0000\u001b`
const normal = syntheticResults()
const hostile = syntheticResults({ hostile: HOSTILE })
const partial = syntheticResults({ aborted: true })
const allPassed = syntheticResults({ allPassed: true })

const schemaFile = join(packageRoot, 'matrix', 'report', 'results.schema.json')

function problemsOf(report: unknown): string {
  const ajv = new Ajv2020({ allErrors: true, formats: { 'date-time': true } })
  const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')))
  validate(JSON.parse(JSON.stringify(report)))
  return ajv.errorsText(validate.errors)
}

test('results.schema.json is what results.ts says', () => {
  assert.deepEqual(JSON.parse(readFileSync(schemaFile, 'utf8')), JSON.parse(JSON.stringify(resultsSchema())))
})

test('results of every sort satisfy the schema', () => {
  for (const report of [normal, hostile, partial, allPassed]) assert.equal(problemsOf(report), 'No errors')
  assert.match(problemsOf({ ...normal, partial: 'no' }), /partial must be boolean/)
  assert.match(problemsOf({ ...normal, schemaVersion: 99 }), /schemaVersion/)
})

test('sums agree with the results', () => {
  for (const report of [normal, partial, allPassed]) {
    const { verdicts, byLevel, byChapter, fatal } = report.summary
    assert.equal(sum(verdicts), report.results.length)
    assert.equal(
      byLevel.reduce((total, each) => total + sum(each.verdicts), 0),
      report.results.length,
    )
    assert.equal(
      byChapter.reduce((total, each) => total + sum(each.verdicts), 0),
      report.results.length,
    )
    assert.equal(fatal, report.results.filter((result) => result.fatal).length)
  }
  assert.equal(normal.planned, normal.results.length)
  assert.match(sumsLine(allPassed.summary.verdicts), /^\d+ passed, \d+ stale-entry$/)
})

test('every report tells whose a failure is; what is not the target’s fails no run', () => {
  const ofClient = normal.results.filter(({ blame }) => blame === 'client')
  assert.ok(ofClient.length > 0)
  assert.ok(ofClient.every(({ verdict, fatal }) => verdict === 'failed' && !fatal))
  assert.equal(normal.summary.blames.client, ofClient.length)
  const entry = ofClient[0]?.knownFailingEntry ?? ''
  const [parsed] = parseKnownFailing(entry, 'k.yaml', { kind: 'client', name: 'kafkajs' })
  assert.equal(parsed?.scenario, ofClient[0]?.scenarioId)
  const page = htmlReport(normal)
  assert.ok(page.includes(escapeText(entry)))
  assert.match(page, /blame<\/span> <b>suite<\/b>: Apache Kafka 4\.1\.0 fails with it too/)
  assert.match(markdownReport(normal), /Blame: \*\*client\*\*\. Apache Kafka 4\.1\.0 fails with it too/)
  assert.match(junitReport(normal), /<skipped message="client&apos;s|<skipped message="client's failure: /)
  const terminal = terminalReport(normal, { color: false })
  assert.match(terminal, / {6}blame {5}client: Apache Kafka 4\.1\.0 fails with it too/)
  assert.ok(terminal.includes(entry.split('\n')[1] ?? 'no entry'))
  assert.match(terminal, /not conformant: .*\nof the failures, 1 is a client’s and \d are the suite’s/s)
})

test('the exit code is 0, 1, 2 or 130', () => {
  assert.equal(exitCodeOf(normal), 1)
  assert.equal(exitCodeOf(partial), 130)
  assert.equal(exitCodeOf({ ...normal, results: [] }), 2)
  assert.equal(exitCodeOf({ ...normal, summary: { ...normal.summary, fatal: 0 } }), 0)
})

test('a client that the plan required and that could not be had is fatal', () => {
  const [first] = normal.notRun
  assert.ok(first)
  assert.equal(first.required, false)
  assert.ok(junitReport(normal).includes('<skipped message="no C++ compiler;'))
  const required: Results = { ...normal, notRun: [{ ...first, required: true }] }
  assert.ok(junitReport(required).includes('<error message="no C++ compiler;'))
})

test('the matrix counts a case of several clients and tools in the row of each', () => {
  const { rows, chapters } = matrixOf(normal)
  assert.deepEqual(
    rows.map(({ title }) => title),
    [
      'kafkajs 2.2.4',
      'confluent-kafka 2.16.1',
      'pulsar-client-python 3.13.0',
      'pulsar-client-java 4.2.4',
      'pulsar-client-tools 4.2.4',
      'kafka-tools 4.1.0',
      'raw requests',
    ],
  )
  const pairs = normal.results.reduce((count, { cellId }) => count + cellId.split('×').length - 1, 0)
  const rowSum = rows.reduce((total, row) => total + sum(row.total), 0)
  assert.equal(rowSum, normal.results.length + pairs)
  for (const row of rows) assert.equal(row.counts.length, chapters.length)
})

test('failures are grouped by requirement and by reason, what is fatal first', () => {
  const groups = failureGroups(normal)
  const fatal = groups.map(({ causes }) => causes.some(({ results }) => results.some((each) => each.fatal)))
  assert.ok(fatal.includes(false))
  assert.equal(fatal.lastIndexOf(true), fatal.indexOf(false) - 1)
  const batch = groups.find(({ requirementId }) => requirementId === 'ID-5')
  assert.equal(batch?.causes.length, 1)
  assert.ok((batch?.causes[0]?.results.length ?? 0) > 1)
  assert.match(batch?.statement ?? '', /^N records in one batch/)
  assert.equal(
    sharedReason('127.0.0.1:1234: kct-abc-1 at offset 7'),
    sharedReason('127.0.0.1:99: kct-x at offset 12'),
  )
  assert.notEqual(sharedReason('offset lost'), sharedReason('key lost'))
})

test('the page shows hostile text as text, and asks nothing of the network', () => {
  const page = htmlReport(hostile)
  assert.ok(!page.includes('<img'))
  assert.ok(page.includes('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;'))
  assert.ok(!page.includes('\u0000') && !page.includes('\u001b'))
  assert.equal(page.match(/<script/g)?.length, 1)
  assert.doesNotMatch(page, /(src|href)="(https?:)?\/\//)
  assert.doesNotMatch(page, /@import|url\(/)
})

test('the page opens and closes its elements in order', () => {
  for (const report of [normal, hostile, partial, allPassed]) {
    const body = htmlReport(report).replace(/<(style|script)>.*?<\/\1>/gs, '')
    assert.equal(firstUnbalanced(body.replace(/<(!doctype|meta|input|br)\b[^>]*>/g, '')), null)
  }
})

test('the page says what is partial, and that nothing needs a look', () => {
  assert.match(htmlReport(partial), /Partial report\.<\/b> The run was interrupted after \d+ of \d+ cases/)
  assert.doesNotMatch(htmlReport(normal), /Partial report/)
  const calm = htmlReport({ ...allPassed, results: allPassed.results.filter((r) => r.verdict === 'passed') })
  assert.match(calm, /Nothing: no case failed/)
})

test('templates escape what is not their own', () => {
  assert.equal(
    html`<p title="${'"'}">${'<'}${html`<b>${1}</b>`}${[html`x`, html`y`]}${null}${false}</p>`.markup,
    '<p title="&quot;">&lt;<b>1</b>xy</p>',
  )
  assert.equal(escapeText('a\u0007b\ud800c😀'), 'a\uFFFDb\uFFFDc😀')
})

test('JUnit is well-formed and its numbers are those of its cases', () => {
  for (const report of [normal, hostile, partial]) {
    const text = junitReport(report)
    assert.equal(firstUnbalanced(text.replace(/<\?xml[^>]*>/, '')), null)
    assert.ok(!text.includes('<img'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/)
    const cases = text.match(/<testcase /g)?.length
    assert.equal(cases, report.results.length + report.notRun.length)
    const failures = report.results.filter((result) => result.fatal && result.verdict !== 'could-not-run')
    assert.equal(text.match(/<failure /g)?.length ?? 0, failures.length)
  }
  assert.equal(xml('a<b>&"\u0001'), 'a&lt;b&gt;&amp;&quot;\uFFFD')
})

test('Markdown shows names as text', () => {
  const text = markdownReport(hostile)
  const outsideCode = text.replace(/^ *```.*?^ *```$/gms, '')
  assert.ok(outsideCode.length < text.length)
  assert.doesNotMatch(outsideCode, /(?<!\\)<img/)
  assert.match(markdownReport(partial), /\*\*Partial\*\*/)
  assert.equal(cellText('a|b\n<c>*'), 'a\\|b \\<c\\>\\*')
})

test('the terminal tells matrix, failures, clients not run, and sums at the end', () => {
  const text = terminalReport(normal, { color: false })
  assert.ok(!text.includes('\u001b'))
  assert.match(text, /│ kafkajs 2\.2\.4 /)
  assert.match(text, /\nID-5 MUST {2}N records in one batch/)
  assert.match(text, /expected {2}offset \d+/)
  assert.match(text, /repeat {4}npx kop-conformance run --only/)
  assert.match(text, /could-not-run: node-rdkafka 3\.6\.1: no C\+\+ compiler\n {2}→ install g\+\+/)
  assert.match(
    text.split('\n').at(-2) ?? '',
    /^not conformant: \d+ required things did not pass: \d+ passed, .* \(seed 4711\)$/,
  )
  assert.match(text.split('\n').at(-1) ?? '', /^of the failures, .* do not count against the target$/)
  const controlled = terminalReport(hostile, { color: false })
    .split('\n')
    .filter((line) => line.startsWith('  ✗'))
  assert.ok(controlled.some((line) => line.includes('<img')) && !controlled.join().includes('\u001b'))
  assert.match(terminalReport(partial, { color: false }), /partial: interrupted after \d+ of \d+ cases/)
})

test('the repeat command names scenario, clients, seed and target, quoted for a shell', () => {
  const cell = {
    kafka: { name: 'kafkajs', version: '2.2.4' },
    pulsar: { name: 'p', version: '1' },
    raw: null,
    pulsarAdmin: null,
    kafkaAdmin: null,
  }
  assert.equal(
    repeatCommand('a/b/c#1', cell, 7, { kind: 'kafka' }),
    "npx kop-conformance run --only 'a/b/c#1' --clients kafkajs@2.2.4,p@1 --seed 7 --target kafka",
  )
  assert.equal(
    repeatCommand('a/b/c', { ...cell, kafka: null, pulsar: null, raw: { name: 'raw', version: '2' } }, 7, {
      kind: null,
      kafka: 'broker:9092',
      profile: 'my target.yaml',
    }),
    "npx kop-conformance run --only a/b/c --clients raw@2 --seed 7 --kafka broker:9092 --profile 'my target.yaml'",
  )
  const managed = { ...cell, pulsar: null, kafkaAdmin: { name: 'kafka-tools', version: '4.1.0' } }
  assert.match(repeatCommand('a/b/c', managed, 7, { kind: 'kafka' }), / kafkajs@2\.2\.4,kafka-tools@4\.1\.0 /)
  assert.equal(shellWord("it's"), `'it'\\''s'`)
})

test('all reports are written, whole', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kop-report-'))
  writeReports(partial, folder)
  assert.deepEqual(readdirSync(folder).sort(), ['index.html', 'junit.xml', 'results.json', 'summary.md'])
  assert.deepEqual(
    JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')),
    JSON.parse(JSON.stringify(partial)),
  )
  removeReports(folder)
  assert.deepEqual(readdirSync(folder), [])
})

/** The first closing tag that closes another element than the last one opened; null: all is in order. */
function firstUnbalanced(markup: string): string | null {
  const open: string[] = []
  for (const [tag, closing, name, inside] of markup.matchAll(/<(\/?)([a-z][\w-]*)((?:"[^"]*"|[^">])*)>/gi)) {
    if (closing === '/') {
      if (open.pop() !== name) return tag
    } else if (!inside?.endsWith('/')) open.push(name ?? '')
  }
  return open.at(-1) ?? null
}
