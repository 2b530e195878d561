import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadClients, provisionClient } from './index.js'
import type { ClientSpec } from './types.js'

let scratch = ''
const { PATH, KOP_CONFORMANCE_CACHE } = process.env
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'kop-conformance-rust-'))
  process.env.KOP_CONFORMANCE_CACHE = join(scratch, 'cache')
  await mkdir(join(scratch, 'clients', 'lib'), { recursive: true })
  await writeFile(join(scratch, 'clients', 'lib', 'driver.rs'), '')
})
after(async () => {
  process.env.PATH = PATH
  if (KOP_CONFORMANCE_CACHE === undefined) delete process.env.KOP_CONFORMANCE_CACHE
  else process.env.KOP_CONFORMANCE_CACHE = KOP_CONFORMANCE_CACHE
  await rm(scratch, { recursive: true, force: true })
})

/** Before all others on the PATH. */
async function program(name: string, script: string): Promise<void> {
  const folder = await mkdtemp(join(scratch, 'bin-'))
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`)
  await chmod(join(folder, name), 0o755)
  process.env.PATH = `${folder}${delimiter}${PATH}`
}

async function client(name: string, yaml: string): Promise<ClientSpec> {
  const folder = join(scratch, 'clients', name)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'client.yaml'), `name: ${name}\nkind: kafka\nquick: false\n${yaml}`)
  const spec = loadClients(join(scratch, 'clients')).find((found) => found.name === name)
  assert.ok(spec)
  return spec
}

/** Writes what Cargo is asked, and builds the manifest into the program's place. */
const CARGO = `
echo "$@" >> "$KOP_TEST_ASKED"
case "$1" in
  generate-lockfile) touch Cargo.lock ;;
  metadata) echo '{"packages":[{"name":"crate","dependencies":[{"name":"crate-sys","req":"^4.3.0"}]}]}' ;;
  build) mkdir -p "$CARGO_TARGET_DIR/release/deps"
    cp Cargo.toml "$CARGO_TARGET_DIR/release/$(sed -n '/^.*bin/,$ s/^name = "\\(.*\\)"/\\1/p' Cargo.toml)" ;;
esac`

test('a driver in Rust is built against the version asked for, with what changed by then', async () => {
  const asked = join(scratch, 'asked')
  process.env.KOP_TEST_ASKED = asked
  await program('cargo', CARGO)
  const yaml = [
    'language: rust\npackage: crate\nversions: ["0.9.0", "0.36.2"]\nfeatures: [ssl]\noldest: [crate-sys]',
    'since: ["0.10.0", "0.37.0"]\ndependencies: ["tokio@1+sync"]\n',
  ]
  const spec = await client('oxide', yaml.join('\n'))
  await writeFile(join(spec.folder, 'main.rs'), 'fn main() {}\n')
  const ready = await provisionClient(spec, '0.36.2', {})
  assert.ok('command' in ready, JSON.stringify(ready))
  const manifest = await readFile(join(dirname(ready.command[0] ?? ''), 'driver'), 'utf8')
  assert.match(
    manifest,
    /^crate = \{ version = "=0\.36\.2", default-features = false, features = \["ssl"\] \}$/m,
  )
  assert.match(manifest, /^tokio = \{ version = "1", features = \["sync"\] \}$/m)
  assert.match(manifest, /^default = \["since-0\.10\.0"\]$/m)
  assert.match(await readFile(asked, 'utf8'), /^update .*crate-sys --precise 4\.3\.0$/m)

  await rm(asked)
  assert.deepEqual(await provisionClient(spec, '0.36.2', {}), ready)
  await assert.rejects(readFile(asked), { code: 'ENOENT' })
})

test('a program of the system is had in the version that it has', async () => {
  await program('kcat', 'echo "kcat - a tool"; echo "Version 1.7.1 (JSON)"')
  const spec = await client('cat', 'language: program\npackage: kcat\nversions: ["1.7.1"]\ntools: [kcat]\n')
  const ready = await provisionClient(spec, '1.7.1', {})
  assert.ok('env' in ready && ready.env.KOP_DRIVER_PROGRAM?.endsWith('/kcat'))
  const other = await provisionClient(spec, '1.7.0', {})
  assert.equal('reason' in other && other.reason, 'kcat here is 1.7.1, not 1.7.0')
})
