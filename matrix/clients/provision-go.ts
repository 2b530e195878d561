import { copyFile, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { packageRoot } from '../root.js'
import { digestOf } from './build-once.js'
import { cacheFolder } from './paths.js'
import type { ProvisionContext } from './provision-context.js'
import { findTool, runTool } from './tools.js'
import type { ReadyClient } from './types.js'
import { fits } from './version-files.js'

/** What the drivers are written in; a library that needs a newer Go says so, and the newer one builds all. */
const GO_VERSION = '1.24'

/**
 * One program, built of the driver's source, what all drivers in Go share, and the library, in a module of its own.
 * Modules are kept in our cache, not the user's: a driver that is changed is built again without the network.
 */
export async function provisionGo(context: ProvisionContext): Promise<ReadyClient> {
  const { spec, version, yaml, signal } = context
  const go = await findTool('go')
  const sources = await goSources(spec.folder, version)
  const required = [`${spec.package} v${version}`, ...yaml.dependencies.map(requirementOf)]
  const folder = await context.build(
    `${spec.name}-${version}-${process.platform}-${process.arch}-${await digestOf(sources)}`,
    `building the driver of ${spec.name} ${version} with Go`,
    async (unfinished) => {
      for (const source of sources) await copyFile(source, join(unfinished, basename(source)))
      await writeFile(join(unfinished, 'go.mod'), moduleOf(required))
      const names = { client: spec.name, version, kind: spec.kind }
      const set = Object.entries(names).map(([name, value]) => `-X main.${name}=${value}`)
      const args = ['build', '-mod=mod', '-trimpath', '-ldflags', ['-s', '-w', ...set].join(' ')]
      await runTool(go, [...args, '-o', 'driver', '.'], {
        cwd: unfinished,
        // Without C: a library that has parts in both is built in a third of the time, and on any machine.
        env: {
          ...{ GOMODCACHE: join(cacheFolder(), 'go-modules'), GOFLAGS: '-modcacherw', GOWORK: 'off' },
          CGO_ENABLED: '0',
        },
        signal,
        failure: `Go could not build the driver of ${spec.name} ${version}`,
        remedy: yaml.remedy ?? `see why: go get ${spec.package}@v${version}`,
      })
    },
  )
  return { name: spec.name, version, kind: spec.kind, command: [join(folder, 'driver')], env: {} }
}

/** `module@1.2.3`, as in client.yaml, to a line of go.mod. */
function requirementOf(dependency: string): string {
  const at = dependency.lastIndexOf('@')
  return `${dependency.slice(0, at)} v${dependency.slice(at + 1)}`
}

function moduleOf(required: readonly string[]): string {
  return `module kop-conformance/driver\n\ngo ${GO_VERSION}\n\nrequire (\n\t${required.join('\n\t')}\n)\n`
}

/**
 * The driver's files and the shared ones. What differs between versions of the library lies in files of its own, of
 * which a build takes those that fit: `x.since-1.22.0.go` and `x.before-1.22.0.go`.
 */
async function goSources(folder: string, version: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.go') && fits(name, version))
  return [...(await sharedSources()), ...names.sort().map((name) => join(folder, name))]
}

/** Kafka's drivers share the most; what one does not use costs it nothing. A driver's own file of a name wins. */
async function sharedSources(): Promise<string[]> {
  const shared = join(packageRoot, 'matrix', 'clients', 'lib')
  const names = (await readdir(shared)).filter((name) => name.endsWith('.go'))
  return names.sort().map((name) => join(shared, name))
}
