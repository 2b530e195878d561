import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { kafkaOps, pulsarOps } from '../driver/messages.js'
import { packageRoot } from '../root.js'
import { loadClients } from './index.js'
import { typecheckDriver } from './typecheck.js'

const folder = join(packageRoot, 'matrix', 'clients')

for (const { name, kind, folder: of } of loadClients()) {
  if (kind !== 'kafka' && kind !== 'pulsar') continue
  test(`the driver of ${name} knows every op, if only to say that its library cannot`, async () => {
    const isSource = (file: string) => /\.(mjs|py|java|go|rs)$/.test(file)
    const own = (await readdir(of)).filter(isSource)
    // What drivers in Go do with members of groups is the same.
    const shared = own.some((file) => file.endsWith('.go')) ? [join(folder, 'lib', 'member.go')] : []
    const files = [...own.map((file) => join(of, file)), ...shared]
    const sources = await Promise.all(files.map((file) => readFile(file, 'utf8')))
    const known = new Set(
      sources.join('\n').match(/(?<=async (?:function )?|"|^ {4})[a-z]\w+(?=[("]|: cannot\()/gim),
    )
    const missing = Object.keys(kind === 'kafka' ? kafkaOps : pulsarOps).filter((op) => !known.has(op))
    assert.deepEqual(missing, [])
  })
}

test("pulsar-client's driver agrees with the declarations of the package", async () => {
  const complaints = await typecheckDriver(
    join(folder, 'pulsar-client-node', 'driver.mjs'),
    'pulsar-client',
    '1.18.0',
  )
  assert.equal(complaints, '')
})

test('a driver that calls what the package does not have is found out', async () => {
  const wrong = await mkdtemp(join(tmpdir(), 'kop-conformance-driver-'))
  try {
    const source = await readFile(join(folder, 'pulsar-client-node', 'driver.mjs'), 'utf8')
    const base = JSON.stringify(join(folder, 'lib', 'driver.mjs'))
    const broken = source
      .replace("'../lib/driver.mjs'", base)
      .replace('.getPartitionsForTopic(', '.partitionsOf(')
    assert.notEqual(broken, source)
    await writeFile(join(wrong, 'driver.mjs'), broken)
    const complaints = await typecheckDriver(join(wrong, 'driver.mjs'), 'pulsar-client', '1.18.0')
    assert.match(complaints, /partitionsOf/)
  } finally {
    await rm(wrong, { recursive: true, force: true })
  }
})
