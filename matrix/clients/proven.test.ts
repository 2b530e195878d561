import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { packageRoot } from '../root.js'
import { driverDigest } from './digest.js'
import { loadClients } from './index.js'
import { readProofs } from './proof.js'

/*
 * Whoever changes a driver proves it again: `kop-conformance prove --missing --update`. In a checkout what is committed
 * counts: a driver that is being changed has no proof yet.
 */

let scratch = ''
let folder = join(packageRoot, 'matrix', 'clients')
before(() => {
  if (!existsSync(join(packageRoot, '.git'))) return
  scratch = mkdtempSync(join(tmpdir(), 'kop-conformance-proven-'))
  const archive = execFileSync('git', ['archive', 'HEAD', 'matrix/clients'], {
    cwd: packageRoot,
    maxBuffer: 1 << 28,
  })
  execFileSync('tar', ['-x', '-C', scratch], { input: archive })
  folder = join(scratch, 'matrix', 'clients')
})
after(() => scratch !== '' && rmSync(scratch, { recursive: true, force: true }))

test('every proof that is shipped is of a driver as it is now', () => {
  const proofs = readProofs(join(folder, 'proven.json'))
  const clients = new Map(loadClients(folder).map((spec) => [spec.name, spec]))
  assert.notDeepEqual(Object.keys(proofs), [])
  const outdated = Object.entries(proofs).filter(([title, { digest }]) => {
    const at = title.lastIndexOf('@')
    const version = title.slice(at + 1)
    const spec = clients.get(title.slice(0, at))
    if (spec === undefined || !spec.versions.includes(version)) return true
    return driverDigest(spec, version, join(folder, 'lib')) !== digest
  })
  assert.deepEqual(
    outdated.map(([title]) => title),
    [],
    'prove them again: kop-conformance prove --missing --update',
  )
})

test('each client of the quick plan is proven, in the version that plans choose', () => {
  const proofs = readProofs(join(folder, 'proven.json'))
  const titles = loadClients(folder)
    .filter(({ quick }) => quick)
    .map(({ name, versions }) => `${name}@${versions.at(-1)}`)
  assert.deepEqual(
    titles.filter((title) => proofs[title] === undefined),
    [],
    'prove them: kop-conformance prove --missing --update',
  )
})
