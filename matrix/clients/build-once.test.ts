import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { buildOnce, digestOf, isComplete } from './build-once.js'

let cache = ''
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kop-conformance-build-'))
})
afterEach(() => rm(cache, { recursive: true, force: true }))

/** The id of a process that has ended. */
function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid
}

test('of builders at the same time one builds, and all find it whole', async () => {
  const folder = join(cache, 'client')
  let builds = 0
  const build = async (unfinished: string) => {
    builds++
    await writeFile(join(unfinished, 'a'), 'content')
  }
  await Promise.all([buildOnce(folder, build), buildOnce(folder, build), buildOnce(folder, build)])
  assert.equal(builds, 1)
  assert.equal(await readFile(join(folder, 'a'), 'utf8'), 'content')
  assert.deepEqual(await readdir(cache), ['client'])
})

test('a failed build leaves nothing, and the next one is made', async () => {
  const folder = join(cache, 'client')
  const fail = async (unfinished: string) => {
    await writeFile(join(unfinished, 'half'), '')
    throw new Error('no network')
  }
  await assert.rejects(buildOnce(folder, fail), /no network/)
  assert.deepEqual(await readdir(cache), [])
  await buildOnce(folder, async () => {})
  assert.equal(await isComplete(folder), true)
  assert.deepEqual(await readdir(folder), ['.complete'])
})

test('what a killed process left is not taken for whole, and its lock does not last', async () => {
  const folder = join(cache, 'client')
  await mkdir(folder)
  await writeFile(join(folder, 'half'), '')
  await mkdir(`${folder}.unfinished-1-aa`)
  await writeFile(`${folder}.lock`, String(deadProcess()))
  await buildOnce(folder, async () => {})
  assert.deepEqual(await readdir(cache), ['client'])
  assert.deepEqual(await readdir(folder), ['.complete'])
})

test('waiting for a living process ends when the run is aborted', async () => {
  const folder = join(cache, 'client')
  await writeFile(`${folder}.lock`, String(process.pid))
  const waiting = buildOnce(folder, async () => {}, AbortSignal.timeout(20))
  await assert.rejects(waiting, { name: /TimeoutError|AbortError/ })
  assert.equal(await isComplete(folder), false)
})

test('the digest follows the contents and the names', async () => {
  const [a, b] = [join(cache, 'a'), join(cache, 'b')]
  await writeFile(a, '1')
  await writeFile(b, '1')
  const first = await digestOf([a])
  assert.notEqual(first, await digestOf([b]))
  assert.equal(first, await digestOf([a]))
  await writeFile(a, '2')
  assert.notEqual(first, await digestOf([a]))
})
