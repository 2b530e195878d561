import { createHash } from 'node:crypto'
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { digestOf } from './build-once.js'
import type { ClientYaml } from './client-yaml.js'
import { cacheFolder } from './paths.js'
import type { ProvisionContext } from './provision-context.js'
import { findTool, runTool, type ToolRun } from './tools.js'
import type { ReadyClient } from './types.js'

/** Of every driver, for `matrix/clients/lib/driver.rs`. */
const OWN_DEPENDENCIES = ['serde_json@1', 'base64@0.22']
/** What is waited for is the compiler, not the driver: least of all for what changes most. */
const PROFILE = [
  ...['[profile.release]', 'opt-level = 0', 'debug = false', 'strip = true', 'incremental = false', ''],
  ...['[profile.release.package."*"]', 'opt-level = 1'],
]

/**
 * One program of the driver's sources and the crate. Which crates it is built of is chosen once a version and kept
 * (Cargo.lock), and so is what was compiled of them: a driver that is changed is compiled alone. Versions share none of
 * it, for Cargo would let the one wait for the other. Cargo's own folder, with the user's settings, stays where it is.
 */
export async function provisionRust(context: ProvisionContext): Promise<ReadyClient> {
  const { spec, version, yaml, signal } = context
  const sources = [join(spec.folder, '..', 'lib', 'driver.rs'), ...(await rustSources(spec.folder))]
  const platform = `${process.platform}-${process.arch}`
  const name = `${spec.name}-${version}-${platform}-${await digestOf(sources)}`
  const program = name.replaceAll(/[^a-z0-9]+/g, '_')
  const target = join(cacheFolder(), 'cargo-target', `${spec.name}-${version}`)
  const run = (cwd: string): ToolRun => ({
    cwd,
    env: { CARGO_TARGET_DIR: target, CARGO_TERM_COLOR: 'never', KOP_DRIVER_VERSION: version },
    signal,
    failure: `Cargo could not build the driver of ${spec.name} ${version}`,
    remedy: yaml.remedy ?? `see why: cargo add ${spec.package}@=${version}`,
  })
  const folder = await context.build(
    name,
    `building the driver of ${spec.name} ${version} with Cargo`,
    async (unfinished) => {
      const cargo = await findTool('cargo')
      const manifest = manifestOf(yaml, version)
      const locked = await chosenCrates(context, cargo, manifest, run)
      await writePackage(unfinished, manifest, program, sources)
      await copyFile(join(locked, 'Cargo.lock'), join(unfinished, 'Cargo.lock'))
      await runTool(cargo, ['build', '--release', '--locked', '--quiet'], run(unfinished))
      await copyFile(join(target, 'release', program), join(unfinished, 'driver'))
      await removeBuilt(target, program)
    },
  )
  return { name: spec.name, version, kind: spec.kind, command: [join(folder, 'driver')], env: {} }
}

/** The folder with the Cargo.lock for this manifest. */
async function chosenCrates(
  { spec, version, yaml, build }: ProvisionContext,
  cargo: string,
  manifest: string,
  run: (cwd: string) => ToolRun,
): Promise<string> {
  const digest = createHash('sha256').update(manifest).update(yaml.oldest.join()).digest('hex').slice(0, 12)
  return build(
    `${spec.name}-${version}-crates-${digest}`,
    `choosing the crates of ${spec.name} ${version}`,
    async (unfinished) => {
      await writePackage(unfinished, manifest, 'driver', [])
      await runTool(cargo, ['generate-lockfile', '--quiet'], run(unfinished))
      for (const crate of yaml.oldest) {
        const asked = leastVersion(
          await runTool(cargo, ['metadata', '--format-version', '1', '--locked'], run(unfinished)),
          { of: spec.package, crate },
        )
        await runTool(cargo, ['update', '--quiet', '--package', crate, '--precise', asked], run(unfinished))
      }
    },
  )
}

/** The least version of `crate` that the crate `of` allows, by what `cargo metadata` printed. */
function leastVersion(metadata: string, { of, crate }: { of: string; crate: string }): string {
  const { packages } = JSON.parse(metadata) as {
    packages: { name: string; dependencies: { name: string; req: string }[] }[]
  }
  const asked = packages
    .find(({ name }) => name === of)
    ?.dependencies.find(({ name }) => name === crate)
    ?.req.match(/\d+\.\d+\.\d+/)
  if (!asked) throw new Error(`${of} asks for no version of ${crate}`)
  return asked[0]
}

async function writePackage(
  folder: string,
  manifest: string,
  program: string,
  sources: readonly string[],
): Promise<void> {
  await mkdir(join(folder, 'src'))
  await writeFile(
    join(folder, 'Cargo.toml'),
    `${manifest}\n[[bin]]\nname = "${program}"\npath = "src/main.rs"\n`,
  )
  if (sources.length === 0) await writeFile(join(folder, 'src', 'main.rs'), 'fn main() {}\n')
  for (const source of sources) await copyFile(source, join(folder, 'src', basename(source)))
}

function manifestOf(yaml: ClientYaml, version: string): string {
  const features = yaml.features.map((feature) => JSON.stringify(feature)).join(', ')
  const reached = yaml.since.filter((since) => !isBefore(version, since)).map((since) => `"since-${since}"`)
  return [
    ...['[package]', 'name = "driver"', 'version = "0.0.0"', 'edition = "2021"', '', '[dependencies]'],
    `${yaml.package} = { version = "=${version}", default-features = false, features = [${features}] }`,
    ...[...OWN_DEPENDENCIES, ...yaml.dependencies].map(dependencyLine),
    ...['', '[features]', `default = [${reached.join(', ')}]`],
    ...yaml.since.map((since) => `"since-${since}" = []`),
    ...['', ...PROFILE, ''],
  ].join('\n')
}

function dependencyLine(dependency: string): string {
  const [name = '', version = '*', ...features] = dependency.split(/[@+]/)
  return `${name} = { version = "${version}", features = [${features.map((each) => `"${each}"`).join(', ')}] }`
}

function isBefore(version: string, other: string): boolean {
  return version.localeCompare(other, 'en', { numeric: true }) < 0
}

/** What is built of the driver itself is of no use to another build. */
async function removeBuilt(target: string, program: string): Promise<void> {
  const release = join(target, 'release')
  const built = (await readdir(join(release, 'deps'))).filter((file) => file.startsWith(`${program}-`))
  const files = [program, `${program}.d`, ...built.map((file) => join('deps', file))]
  await Promise.all(files.map((file) => rm(join(release, file), { force: true })))
}

async function rustSources(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => name.endsWith('.rs'))
    .sort()
    .map((name) => join(folder, name))
}
