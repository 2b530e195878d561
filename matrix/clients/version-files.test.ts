import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fits } from './version-files.js'

const cases: [file: string, version: string, expected: boolean][] = [
  ['driver.go', '1.2.3', true],
  ['x.since-1.22.0.go', '1.22.0', true],
  ['x.since-1.22.0.go', '1.21.9', false],
  ['x.before-1.22.0.go', '1.22', false],
  ['x.before-1.22.0.go', '0.99.5', true],
  ['X.since-2.5.before-3.3.java', '2.4.1', false],
  ['X.since-2.5.before-3.3.java', '2.5.0', true],
  ['X.since-2.5.before-3.3.java', '3.2.9', true],
  ['X.since-2.5.before-3.3.java', '3.3.0', false],
  ['X.before-0.11.java', '0.10.2.2', true],
  ['X.since-5.0.java', '5.0.0-M1', true],
  ['/folder.since-9/X.java', '1.0', true],
]

for (const [file, version, expected] of cases) {
  test(`${file} is ${expected ? '' : 'not '}for ${version}`, () =>
    assert.equal(fits(file, version), expected))
}
