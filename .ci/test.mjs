// The test command: each check in turn, then one line that sums them all up. A check that cannot start is a failure.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const coverageDir = join('coverage', 'tmp')
rmSync('coverage', { recursive: true, force: true })
rmSync('dist', { recursive: true, force: true })

let passed = 0
let failed = 0

/** Runs a program with its output shown as it comes. @returns its exit code (1 when a signal ended it) and its output. */
function run(title, command, args, env = {}) {
  const more = args.length > 6 ? ' …' : ''
  console.log(`\n── ${title}: ${[command, ...args.slice(0, 6)].join(' ')}${more}`)
  const started = Date.now()
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  return new Promise((resolve) => {
    const end = (how) => {
      console.log(`── ${title}: ${how} after ${((Date.now() - started) / 1000).toFixed(1)} s`)
      resolve({ code: how === 'exit 0' ? 0 : 1, output })
    }
    child.on('error', (error) => end(error.message))
    child.on('close', (code, signal) => end(signal === null ? `exit ${code}` : signal))
  })
}

async function check(title, command, args, env) {
  const ok = (await run(title, command, args, env)).code === 0
  ok ? passed++ : failed++
  return ok
}

/** Names of files below `folder` that end so. */
function filesBelow(folder, ending) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
}

/** One of the two plans that are every scenario together. Each case counts as a test. */
async function conformance(plan, out) {
  rmSync(out, { recursive: true, force: true })
  const args = ['dist/matrix/cli.js', 'run', '--plan', plan, '--out', out]
  const suite = await run(`conformance, ${plan} plan`, process.execPath, args, covered)
  const file = join(out, 'results.json')
  if (existsSync(file)) {
    const { results } = JSON.parse(readFileSync(file, 'utf8'))
    passed += results.filter(({ verdict }) => verdict === 'passed' || verdict === 'known-failing').length
    // What the original shows with the same client too is the client's, and no fault of this project.
    const isWrong = ({ verdict, blame }) =>
      ['failed', 'stale-entry', 'flaky'].includes(verdict) && blame !== 'client'
    failed += results.filter(isWrong).length
  }
  if (suite.code !== 0) failed++
}

const covered = { NODE_V8_COVERAGE: coverageDir }
const bin = (name) => join('node_modules', '.bin', name)

if (await check('types and build', bin('tsc'), [])) {
  await check('format and lint', bin('biome'), ['ci', '--error-on-warnings', '.'])
  await check('import rules', bin('depcruise'), ['reference', 'steps', 'matrix'])
  await check('unused code', bin('knip'), [])

  const tests = ['reference', 'matrix', 'steps'].flatMap((folder) =>
    filesBelow(join('dist', folder), '.test.js'),
  )
  const unit = await run(
    'unit tests',
    process.execPath,
    ['--test', '--test-reporter=spec', ...tests],
    covered,
  )
  const count = (word) => Number(new RegExp(`^. ${word} (\\d+)$`, 'm').exec(unit.output)?.[1] ?? 0)
  passed += count('pass')
  failed += count('fail') + count('cancelled')
  if (unit.code !== 0 && count('fail') + count('cancelled') === 0) failed++

  await conformance('quick', 'report')
  await conformance('rest', join('report', 'rest'))

  await check('coverage', bin('c8'), ['report'])
}

console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
