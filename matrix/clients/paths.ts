import { homedir } from 'node:os'
import { join } from 'node:path'
import envPaths from 'env-paths'
import { packageRoot } from '../root.js'

/** What drivers of a language share. */
export const libFolder = join(packageRoot, 'matrix', 'clients', 'lib')

/** Where clients and servers are kept between runs: `$KOP_CONFORMANCE_CACHE`, else the user's cache folder. */
export function cacheFolder(): string {
  const chosen = process.env.KOP_CONFORMANCE_CACHE
  if (!chosen) return envPaths('kop-conformance', { suffix: '' }).cache
  return chosen.startsWith('~/') ? join(homedir(), chosen.slice(2)) : chosen
}
