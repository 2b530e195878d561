import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { htmlReport } from './html/page.js'
import { junitReport } from './junit.js'
import { markdownReport } from './markdown.js'
import type { Results } from './results.js'

/** Writes all reports, each whole or not at all. */
export function writeReports(report: Results, folder: string): void {
  const files = {
    'results.json': `${JSON.stringify(report, null, 1)}\n`,
    'index.html': htmlReport(report),
    'junit.xml': junitReport(report),
    'summary.md': markdownReport(report),
  }
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name)
    writeFileSync(`${file}.part`, text)
    renameSync(`${file}.part`, file)
  }
}
