import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { htmlReport } from './html/page.js'
import { junitReport } from './junit.js'
import { markdownReport } from './markdown.js'
import type { Results } from './results.js'

const reports: Readonly<Record<string, (report: Results) => string>> = {
  'results.json': (report) => `${JSON.stringify(report, null, 1)}\n`,
  'index.html': htmlReport,
  'junit.xml': junitReport,
  'summary.md': markdownReport,
}

/** Writes all reports, each whole or not at all. */
export function writeReports(report: Results, folder: string): void {
  for (const [name, textOf] of Object.entries(reports)) {
    const file = join(folder, name)
    writeFileSync(`${file}.part`, textOf(report))
    renameSync(`${file}.part`, file)
  }
}

/** Removes the reports of an earlier run: they must not be taken for those of a run that never got so far. */
export function removeReports(folder: string): void {
  for (const name of Object.keys(reports)) rmSync(join(folder, name), { force: true })
}
