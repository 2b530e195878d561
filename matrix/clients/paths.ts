import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import envPaths from 'env-paths'

/** The folder of this package's `package.json`: drivers and profiles lie there as they are, they are not compiled. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('no package.json above this module')
    folder = parent
  }
  return folder
}

/** Where clients and servers are kept between runs: `$KOP_CONFORMANCE_CACHE`, else the user's cache folder. */
export function cacheFolder(): string {
  const chosen = process.env.KOP_CONFORMANCE_CACHE
  if (!chosen) return envPaths('kop-conformance', { suffix: '' }).cache
  return chosen.startsWith('~/') ? join(homedir(), chosen.slice(2)) : chosen
}
