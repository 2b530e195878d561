// Shows that a plan in shards, merged, is what it is in one run: `node .ci/shards.mjs [count] [options of run]`. It runs the plan
// whole, then each shard, merges them, and compares verdict by verdict. Exit code 0: no verdict differs.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [first = '', ...others] = process.argv.slice(2)
const count = /^\d+$/.test(first) ? Number(first) : 4
const options = /^\d+$/.test(first) || first === '' ? others : [first, ...others]
const out = mkdtempSync(join(tmpdir(), 'kop-conformance-shards-'))

function suite(...args) {
  const { status } = spawnSync(process.execPath, ['dist/matrix/cli.js', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0 && status !== 1) throw new Error(`${args.join(' ')}: exit ${status}`)
}

const read = (folder) => JSON.parse(readFileSync(join(out, folder, 'results.json'), 'utf8'))
const verdictsOf = ({ results }) =>
  new Map(results.map(({ cellId, scenarioId, verdict }) => [`${scenarioId} [${cellId}]`, verdict]))

suite('run', '--seed', '1', ...options, '--out', join(out, 'whole'))
const shards = Array.from({ length: count }, (_, index) => `shard-${index + 1}`)
for (const [index, folder] of shards.entries()) {
  suite('run', '--seed', '1', ...options, '--shard', `${index + 1}/${count}`, '--out', join(out, folder))
}
const folders = shards.map((folder) => join(out, folder))
suite('report', '--merge', ...folders, '--out', join(out, 'merged'))

const whole = verdictsOf(read('whole'))
const merged = verdictsOf(read('merged'))
const titles = [...new Set([...whole.keys(), ...merged.keys()])]
const different = titles.filter((title) => whole.get(title) !== merged.get(title))
for (const title of different) console.log(`${title}: ${whole.get(title)} whole, ${merged.get(title)} merged`)
const sizes = shards.map((folder) => read(folder).results.length)
console.log(
  `${whole.size} cases whole, ${sizes.join(' + ')} in ${count} shards: ${different.length} verdicts differ`,
)
console.log(out)
process.exitCode = different.length === 0 && whole.size > 0 && sizes.every((size) => size > 0) ? 0 : 1
