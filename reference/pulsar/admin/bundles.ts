import { crc32 } from 'node:zlib'
import type { NamespacePolicies } from '../../topics/policies.js'

/** Pulsar's default number of bundles of a new namespace. */
const DEFAULT_BUNDLES = 4
export const BUNDLES_MAX = 1_024
const HASH_RANGE = 0x1_0000_0000

/** How a namespace's bundles are kept among its policies. */
export const bundlesPolicy = 'bundles'

/** The bounds of a namespace's bundles, even parts of the hash range, as Pulsar shows them. */
export function boundaries(policies: NamespacePolicies): readonly string[] {
  const kept = policies.kept?.[bundlesPolicy]
  const count = typeof kept === 'number' ? kept : DEFAULT_BUNDLES
  const inner = Array.from({ length: count }, (_, at) => Math.floor((at * HASH_RANGE) / count))
  return [...inner, HASH_RANGE - 1].map((bound) => `0x${bound.toString(16).padStart(8, '0')}`)
}

/** `0x00000000_0x40000000`, and so on. */
export function boundaryNames(policies: NamespacePolicies): readonly string[] {
  const bounds = boundaries(policies)
  return bounds.slice(1).map((upper, at) => `${bounds[at]}_${upper}`)
}

/** The bundle that a topic's (or partition's) full name falls into. */
export function bundleOf(policies: NamespacePolicies, fullName: string): string {
  const hash = crc32(fullName)
  const names = boundaryNames(policies)
  const found = names.find((name) => hash < Number(name.split('_')[1]))
  return found ?? names.at(-1) ?? ''
}
