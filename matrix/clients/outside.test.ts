import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { kafkaDriver, startDriver, Unsupported } from '../driver/process.js'
import { packageRoot } from '../root.js'
import { loadClients, provisionClient } from './index.js'
import { loadOutsideClients } from './outside.js'

const scratch = mkdtempSync(join(tmpdir(), 'kop-conformance-outside-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
const example = join(packageRoot, 'matrix', 'driver', 'example')

const OTHER = `
name: my-own
kind: kafka
language: other
package: my-own
command: [node, ./driver.cjs, "{version}"]
versions: ["1", "2"]
quick: true
`
const DRIVER = `
const [, , version] = process.argv
const say = (value) => console.log(JSON.stringify(value))
say({ ready: { client: 'my-own', version, kind: 'kafka' } })
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, op } = JSON.parse(line)
  say(op === 'listTopics' ? { id, result: { names: ['of ' + version] } } : { id, unsupported: 'no ' + op })
})
`

function folderOf(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(scratch, name)
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

function refused(folder: string, message: RegExp): void {
  assert.throws(
    () => loadOutsideClients([folder], loadClients()),
    (error: Error) => {
      assert.equal(error.name, 'UsageError')
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /\n/)
      return true
    },
  )
}

test('a client in any language is started by its own command, with the version asked for', async () => {
  const [spec] = loadOutsideClients([folderOf('other', { 'client.yaml': OTHER, 'driver.cjs': DRIVER })], [])
  assert.ok(spec)
  const client = await provisionClient(spec, '2', {})
  assert.ok('command' in client)
  const driver = await startDriver(client)
  try {
    const kafka = kafkaDriver(driver)
    assert.deepEqual(await kafka.call('listTopics', {}), { names: ['of 2'] })
    await assert.rejects(kafka.call('metadata', { topics: [] }), Unsupported)
  } finally {
    await driver.close()
  }
})

test('a command that is not there is told as the reason why the client cannot be had', async () => {
  const [spec] = loadOutsideClients([folderOf('unbuilt', { 'client.yaml': OTHER })], [])
  assert.ok(spec)
  const client = await provisionClient(spec, '1', {})
  assert.ok('reason' in client)
  assert.match(client.reason, /^there is no .*driver\.cjs$/)
})

test('mistakes in a folder are told in a line', () => {
  refused(join(scratch, 'nowhere'), /^--client .*nowhere: there is no such folder$/)
  refused(folderOf('empty', {}), /: there is no client\.yaml in it; matrix\/driver\/README\.md tells how/)
  refused(folderOf('broken', { 'client.yaml': 'name: [' }), /^--client .*broken: /)
  refused(
    folderOf('no-kind', { 'client.yaml': OTHER.replace('kind: kafka', 'kind: kafak') }),
    /client\.yaml: kind: /,
  )
  refused(
    folderOf('no-command', { 'client.yaml': OTHER.replace(/command.*\n/, '') }),
    /client\.yaml: command: /,
  )
  refused(
    folderOf('no-driver', { 'client.yaml': OTHER.replace('other', 'python').replace(/command.*\n/, '') }),
    /: there is no driver\.py, which starts a client of language python$/,
  )
  refused(
    folderOf('taken', { 'client.yaml': OTHER.replace('my-own', 'kafkajs') }),
    /: a client of the suite is named kafkajs too; give it another name$/,
  )
})

/** What the command line prints, as JSON. */
function asked(...args: string[]): Promise<{ out: string; errors: string }> {
  const cli = join(packageRoot, 'dist', 'matrix', 'cli.js')
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: scratch, maxBuffer: 1 << 26 }, (_, out, errors) =>
      resolve({ out, errors }),
    )
  })
}

test('the example joins the plan beside the quick clients, or alone', async () => {
  const [beside, alone] = await Promise.all([
    asked('plan', '--json', '--client', example, '--only', 'MC-3'),
    asked('plan', '--json', '--client', example, '--clients', 'my-client', '--only', 'MC-3'),
  ])
  const cellsOf = (text: string) =>
    (JSON.parse(text) as { cells: { id: string }[] }).cells.map(({ id }) => id)
  assert.ok(cellsOf(beside.out).includes('my-client@2.2.4'))
  assert.ok(cellsOf(beside.out).some((id) => id.startsWith('kafkajs@')))
  assert.deepEqual(cellsOf(alone.out), ['my-client@2.2.4', 'raw'])
})

test('the example runs: what it can is judged, what it cannot is unsupported', async () => {
  const scenarios = ['--only', 'conversion/fields/kept-what']
  const out = join(scratch, 'report')
  const { out: text, errors } = await asked(
    ...['run', '--client', example, '--clients', 'my-client', '--jobs', '1', '--unproven', '--out', out],
    ...['--control', 'never', '--json', ...scenarios],
  )
  const { verdicts, fatal } = (
    JSON.parse(text) as { summary: { verdicts: Record<string, number>; fatal: number } }
  ).summary
  assert.equal(fatal, 0, errors)
  assert.ok((verdicts.passed ?? 0) >= 5, text)
  assert.ok((verdicts.unsupported ?? 0) >= 1, text)
})
