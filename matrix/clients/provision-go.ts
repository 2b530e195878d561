import { copyFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from './build-once.js'
import { cacheFolder } from './paths.js'
import type { ProvisionContext } from './provision-context.js'
import { findTool, runTool } from './tools.js'
import type { ReadyClient } from './types.js'

/** What the driver is built with needs this much; a newer Go builds it as well. */
const GO_VERSION = '1.24'

/**
 * One program, built of the driver's source and the library in a module of its own. Modules are kept in our cache, not
 * the user's: a driver that is changed is built again without the network.
 */
export async function provisionGo(context: ProvisionContext): Promise<ReadyClient> {
  const { spec, version, yaml, signal } = context
  const go = await findTool('go')
  const sources = await goSources(spec.folder)
  const folder = await context.build(
    `${spec.name}-${version}-${process.platform}-${process.arch}-${await digestOf(sources)}`,
    `building the driver of ${spec.name} ${version} with Go`,
    async (unfinished) => {
      for (const source of sources)
        await copyFile(source, join(unfinished, source.slice(spec.folder.length + 1)))
      await writeFile(join(unfinished, 'go.mod'), moduleOf([`${spec.package} v${version}`]))
      const args = ['build', '-mod=mod', '-trimpath', '-ldflags', `-s -w -X main.version=${version}`]
      await runTool(go, [...args, '-o', 'driver', '.'], {
        cwd: unfinished,
        env: { GOMODCACHE: join(cacheFolder(), 'go-modules'), GOFLAGS: '-modcacherw', GOWORK: 'off' },
        signal,
        failure: `Go could not build the driver of ${spec.name} ${version}`,
        remedy: yaml.remedy ?? `see why: go get ${spec.package}@v${version}`,
      })
    },
  )
  return { name: spec.name, version, kind: spec.kind, command: [join(folder, 'driver')], env: {} }
}

function moduleOf(required: readonly string[]): string {
  return `module kop-conformance/driver\n\ngo ${GO_VERSION}\n\nrequire (\n\t${required.join('\n\t')}\n)\n`
}

async function goSources(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => name.endsWith('.go'))
    .sort()
    .map((name) => join(folder, name))
}
