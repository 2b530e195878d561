import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../root.js'
import { typecheckDriver } from './typecheck.js'

const folder = join(packageRoot, 'matrix', 'clients')

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
