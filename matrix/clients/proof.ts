import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { packageRoot } from '../root.js'
import { cacheFolder } from './paths.js'

/** That a smoke found nothing wrong with a driver, in the state that the digest stands for. */
const proof = z.strictObject({
  digest: z.string(),
  /** The original that it was held against: `Apache Kafka 4.1.0`. */
  control: z.string(),
  /** ISO date */
  date: z.string(),
  passed: z.number().int(),
  /** Checks that the library has no way to express. */
  unsupported: z.number().int(),
})
export type Proof = z.output<typeof proof>

/** By `name@version`. */
export type Proofs = Readonly<Record<string, Proof>>
const proofs = z.record(z.string(), proof)

/** Proofs that the package ships; `kop-conformance prove --update` writes them. */
export const provenFile = join(packageRoot, 'matrix', 'clients', 'proven.json')

/** @returns none when there is no such file, or it cannot be read */
export function readProofs(file: string = provenFile): Proofs {
  try {
    return proofs.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return {}
  }
}

/** Whole or not at all, in the order of the titles. */
export function writeProofs(all: Proofs, file: string = provenFile): void {
  const sorted = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.part`, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
  renameSync(`${file}.part`, file)
}

/** A proof that was made on this machine. */
export function readOwnProof(title: string, digest: string): Proof | null {
  return readProofs(ownFile(title, digest))[title] ?? null
}

export function keepOwnProof(title: string, made: Proof): void {
  writeProofs({ [title]: made }, ownFile(title, made.digest))
}

const ownFile = (title: string, digest: string): string =>
  join(cacheFolder(), 'proofs', `${title.replaceAll(/[^\w.@-]/g, '_')}-${digest}.json`)

/** What proves a driver in this state, shipped or made here; null: nothing does. */
export function proofOf(title: string, digest: string, shipped: Proofs): Proof | null {
  const found = shipped[title]
  return found?.digest === digest ? found : readOwnProof(title, digest)
}
