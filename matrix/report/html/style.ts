/** The page's look: system fonts, colours by verdict in light and dark, and tables that become cards on a phone. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #fff; --ink: #1b1f24; --soft: #5b6470; --line: #e2e3de; --accent: #0b62b8;
  --code: #f1f2ee;
  --passed: #1a7f4b; --passed-bg: #d8f0e0; --failed: #b3261e; --failed-bg: #f9d9d5;
  --warn: #8a5a00; --warn-bg: #fae7bd; --known: #6b3fa0; --known-bg: #e8dcf6; --none: #6c757d; --none-bg: #e9eaec;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --card: #1b1f23; --ink: #e7e9ea; --soft: #9aa4ae; --line: #30363c; --accent: #6cb2f7;
    --code: #23282d;
    --passed: #6fd39b; --passed-bg: #17402a; --failed: #ff9d94; --failed-bg: #5a201c;
    --warn: #f2c666; --warn-bg: #4d3a10; --known: #c8a5f2; --known-bg: #3b2856; --none: #a2abb3; --none-bg: #2a2f34;
  }
}
* { box-sizing: border-box }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100% }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; font-variant-numeric: tabular-nums }
.top, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px }
h1, h2, h3, h4, p, ul, dl, dd, blockquote { margin: 0 }
h1 { font-size: clamp(1.7rem, 4.5vw, 2.5rem); line-height: 1.15; letter-spacing: -.02em; overflow-wrap: anywhere }
h1 .version { color: var(--soft); font-weight: 400 }
h2 { font-size: 1.2rem; letter-spacing: -.01em }
small { font-size: .8rem; color: var(--soft); font-weight: 400 }
a { color: var(--accent) }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px }
.skip, .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.skip:focus { position: static; width: auto; height: auto; clip-path: none }
.eyebrow { font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin-bottom: 4px }
.sub, .hint, .where { color: var(--soft) }
.sub { margin-top: 8px }
.hint, .where { font-size: .875rem; overflow-wrap: anywhere }
.head { display: flex; flex-wrap: wrap; gap: 16px 32px; align-items: flex-end; justify-content: space-between; padding-top: 40px }
.state { font-weight: 600; font-size: 1.05rem; padding: 8px 16px; border-radius: 999px; white-space: nowrap }
.state.good { background: var(--passed-bg); color: var(--passed) }
.state.bad { background: var(--failed-bg); color: var(--failed) }
.state.partial, .notice { background: var(--warn-bg); color: var(--warn) }
.notice { padding: 12px 16px; border-radius: 8px; margin-top: 20px }
.levels { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 16px; margin-top: 28px }
.level, .group, .heat, .chapter { background: var(--card); border: 1px solid var(--line); border-radius: 12px }
.level { padding: 18px 20px }
.level h2 { font-size: .95rem; display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap }
.big { font-size: 2.4rem; font-weight: 650; letter-spacing: -.03em; line-height: 1.2; margin: 6px 0 10px }
.big .of { color: var(--soft); font-weight: 400 }
.big .unit { font-size: .9rem; letter-spacing: 0; font-weight: 400; color: var(--soft) }
.bar { display: flex; gap: 2px; height: 8px; border-radius: 4px; overflow: hidden }
.bar span { min-width: 4px }
.told { display: flex; flex-wrap: wrap; gap: 2px 14px; list-style: none; padding: 0; margin-top: 10px; font-size: .85rem; color: var(--soft) }
.dot { display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 6px }
.bar .passed, .dot.passed { background: var(--passed) }
.bar .failed, .dot.failed, .bar .stale-entry, .dot.stale-entry { background: var(--failed) }
.bar .could-not-run, .dot.could-not-run, .bar .flaky, .dot.flaky { background: var(--warn) }
.bar .known-failing, .dot.known-failing { background: var(--known) }
.bar .unsupported, .dot.unsupported { background: color-mix(in srgb, var(--none) 45%, var(--card)) }
.heat { margin-top: 16px; padding: 18px 20px }
.heat h2 { font-size: .95rem; margin-bottom: 8px }
.heat .hint { margin-top: 8px }
.scroll { overflow-x: auto; margin: 0 -4px; padding: 0 4px }
.heat table { border-collapse: separate; border-spacing: 3px; width: 100% }
.heat th { text-align: left; font-weight: 500; white-space: nowrap; padding: 4px 10px 4px 0; position: sticky; left: 0; background: var(--card); z-index: 1 }
.heat thead th { vertical-align: bottom; text-align: center; padding: 4px; white-space: normal; position: static; min-width: 64px; line-height: 1.2 }
.heat thead th:first-child { text-align: left; position: sticky; color: var(--soft); font-size: .85rem }
.heat thead small { display: block; font-size: .72rem; margin-top: 2px }
.heat td { padding: 0; border-radius: 6px; text-align: center; font-size: .9rem; font-weight: 600 }
.heat td.none { background: transparent }
.heat td { position: relative }
.heat td a { display: block; padding: 8px 6px; color: inherit; text-decoration: none; border-radius: 6px }
.heat td a:hover { outline: 2px solid currentColor }
td.passed, .mark.passed { background: var(--passed-bg); color: var(--passed) }
td.failed, td.stale-entry, .mark.failed, .mark.stale-entry, .tag.bad { background: var(--failed-bg); color: var(--failed) }
td.could-not-run, td.flaky, .mark.could-not-run, .mark.flaky { background: var(--warn-bg); color: var(--warn) }
td.known-failing, .mark.known-failing { background: var(--known-bg); color: var(--known) }
td.unsupported, .mark.unsupported { background: var(--none-bg); color: var(--none) }
.mark { display: inline-block; padding: 1px 9px; border-radius: 999px; font-size: .8rem; font-weight: 600; white-space: nowrap }
main > section { margin-top: 48px }
main > section > h2 { margin-bottom: 14px; font-size: 1.35rem }
.count { font-size: .9rem; font-weight: 400; color: var(--soft); margin-left: 6px; letter-spacing: 0 }
.calm { color: var(--soft); padding: 20px; border: 1px dashed var(--line); border-radius: 12px }
.group { padding: 20px 24px; margin-bottom: 16px; border-left: 4px solid var(--failed) }
.id { font-family: var(--mono); font-weight: 650 }
.tag { white-space: nowrap; font-size: .72rem; font-weight: 600; letter-spacing: .04em; padding: 2px 7px; border-radius: 4px; background: var(--none-bg); color: var(--none); vertical-align: 2px }
.from { font-size: .8rem; color: var(--soft); font-weight: 400 }
blockquote { font-size: 1.06rem; margin: 6px 0 0; max-width: 75ch; text-wrap: pretty }
.cause { margin-top: 18px; padding-top: 16px; border-top: 1px solid var(--line) }
.cause h4 { color: var(--failed); font-size: 1rem; font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere }
.case { margin-top: 14px; padding-left: 14px; border-left: 2px solid var(--line) }
.case-name { display: flex; gap: 10px; align-items: baseline; flex-wrap: wrap }
.step { font-size: .92rem; margin-top: 4px }
.label, dt { font-size: .75rem; color: var(--soft); letter-spacing: .03em }
.versus { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; margin: 10px 0 }
.versus pre { border-left: 3px solid var(--passed) }
.versus .seen pre { border-left-color: var(--failed) }
pre { font: .85rem/1.5 var(--mono); background: var(--code); border-radius: 6px; padding: 8px 12px; margin: 2px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 22em; overflow-y: auto }
pre.log { white-space: pre; overflow-x: auto; font-size: .78rem }
.blame { margin: 10px 0; padding: 8px 12px; border-left: 3px solid var(--failed); background: var(--code); border-radius: 6px; font-size: .92rem; overflow-wrap: anywhere }
.blame.client, .blame.suite { border-left-color: var(--known) }
.blame.client b, .blame.suite b { color: var(--known) }
.blame .hint { margin-top: 4px }
.blame .entry { background: var(--card) }
.blame .entry pre { flex: 1; background: none; padding: 0; margin: 0 }
.tries { list-style: none; padding: 0; margin-top: 6px; display: grid; gap: 6px }
.tries .reason { display: block }
.tag.blamed, .notice.blamed { background: var(--known-bg); color: var(--known) }
.command { display: flex; gap: 8px; align-items: flex-start; margin: 8px 0; background: var(--code); border-radius: 6px; padding: 6px 6px 6px 12px }
.command code { flex: 1; font: .82rem/1.6 var(--mono); overflow-wrap: anywhere }
button { font: inherit; font-size: .82rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 2px 10px; cursor: pointer }
button:hover { border-color: var(--soft) }
details > summary { cursor: pointer }
.alike { margin-top: 12px }
.alike > summary { color: var(--accent); font-size: .92rem }
.case details { font-size: .9rem; margin-top: 4px }
.not-run { list-style: none; padding: 0; display: grid; gap: 10px }
.not-run li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 16px }
.chapter { margin-bottom: 8px; padding: 0 18px }
.chapter > summary { padding: 12px 0 }
.chapter table { margin-bottom: 14px }
.register, .results { width: 100%; border-collapse: collapse; font-size: .92rem }
.register th, .register td, .results th, .results td { text-align: left; vertical-align: top; padding: 8px 14px 8px 0; border-top: 1px solid var(--line) }
.register thead th, .results thead th { border-top: 0; font-size: .8rem; font-weight: 500; color: var(--soft) }
.register th small { display: block }
.results .number { text-align: right; white-space: nowrap; padding-right: 0 }
code { font-family: var(--mono); font-size: .9em }
.register th:first-child { width: 110px }
.register th:nth-child(3) { width: 90px }
.register th:last-child { width: 210px }
.register td.number, .register th:nth-child(3) { text-align: center }
.results td:first-child { white-space: nowrap }
.results td:nth-child(2) { width: 46% }
.reason { font-size: .85rem; color: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 6em; overflow: hidden }
.file { font-family: var(--mono); font-size: .92em }
.filters { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: flex-end; margin-bottom: 14px }
.filters label { display: grid; gap: 3px; font-size: .8rem; color: var(--soft) }
.filters label:first-child { flex: 1 1 220px }
input, select { font: inherit; font-size: .92rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 6px 10px; max-width: 100% }
.filters button { padding: 7px 14px }
footer { color: var(--soft); font-size: .85rem; padding-top: 48px; padding-bottom: 48px; overflow-wrap: anywhere }
[hidden] { display: none !important }
@media (max-width: 720px) {
  .top, main, footer { padding: 0 16px }
  .head { padding-top: 24px }
  .state { white-space: normal }
  .levels { grid-template-columns: 1fr; gap: 10px; margin-top: 20px }
  .level { padding: 12px 16px }
  .big { font-size: 1.8rem; margin: 2px 0 6px }
  .heat, .group { padding: 14px 16px }
  .heat thead small { display: none }
  .heat thead th { min-width: 44px }
  .heat tbody th { white-space: normal; min-width: 104px; font-size: .8rem; line-height: 1.3; overflow-wrap: anywhere }
  .heat tbody th small { display: block }
  .heat td { font-size: .78rem }
  .heat td a { padding: 8px 3px }
  .heat table { border-spacing: 2px }
  .versus { grid-template-columns: 1fr }
  .results thead, .register thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden }
  .results tr, .register tr { display: block; border-top: 1px solid var(--line); padding: 10px 0 }
  .results td, .register td, .register th { display: block; border: 0; padding: 2px 0; width: auto !important; text-align: left !important }
  .register td.number::before { content: "scenarios: "; color: var(--soft) }
}
@media print {
  .filters, .copy, .skip { display: none }
  .group, .level, .heat { break-inside: avoid }
}
`
