import { spawn } from 'node:child_process'
import { openSync, rmSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

/**
 * Runs a server for a test run, and outlives neither: when its standard input closes, which the run's death by kill -9
 * does too, it kills the server's process group and removes what it was told to.
 *
 *   node supervisor.js --log server.log [--remove folder] -- java …
 *
 * In: a line `SIGTERM` or `SIGKILL`. Out: `{"pid":1234}` first, `{"exit":"code 0"}` last.
 */
const { values, positionals } = parseArgs({
  options: { log: { type: 'string' }, remove: { type: 'string' } },
  allowPositionals: true,
})
const [program = '', ...args] = positionals
const log = openSync(values.log ?? '/dev/null', 'a')

// Ctrl-C is the run's to handle: it closes our input when it has done so.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.stdout.on('error', () => {})

const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true })
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
let orphaned = false

child.on('spawn', () => say({ pid: child.pid }))
child.on('error', (error) => {
  writeSync(log, `${error.message}\n`)
  say({ exit: error.message })
  process.exit(1)
})
child.on('exit', (code, signal) => {
  signalGroup('SIGKILL')
  say({ exit: signal === null ? `code ${code}` : signal })
  if (orphaned && values.remove !== undefined) rmSync(values.remove, { recursive: true, force: true })
  process.exit(0)
})

const commands = createInterface({ input: process.stdin })
commands.on('line', (line) => {
  if (line === 'SIGTERM' || line === 'SIGKILL') signalGroup(line)
})
commands.on('close', () => {
  orphaned = true
  signalGroup('SIGKILL')
})

function signalGroup(signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended already.
  }
}
