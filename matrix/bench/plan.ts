import { nearest, oneOf, UsageError } from '../usage-error.js'

/** What is measured: a real Apache Kafka, and the reference with either way to store entries. */
export const SYSTEMS = ['kafka', 'reference-pulsar', 'reference-kafka'] as const
export type System = (typeof SYSTEMS)[number]

/**
 * When data reaches the disk: `os`, whenever the operating system writes it, Kafka's default; `sync`, before the
 * acknowledgement, BookKeeper's default and the reference's.
 */
export const POLICIES = ['os', 'sync'] as const
export type Policy = (typeof POLICIES)[number]

export interface Cell {
  readonly system: System
  readonly policy: Policy
}

export const cellName = ({ system, policy }: Cell): string => `${system}/${policy}`

/**
 * The cells of a run; `only` names systems and policies, and what it leaves unnamed is in.
 * @throws UsageError
 */
export function cellsOf(only: readonly string[]): Cell[] {
  const known: readonly string[] = [...SYSTEMS, ...POLICIES]
  const wrong = only.find((name) => !known.includes(name))
  if (wrong !== undefined) {
    const meant = nearest(wrong, known)
    throw new UsageError(`--only ${wrong}: ${meant ? `did you mean ${meant}?` : `give ${oneOf(known)}`}`)
  }
  const chosen = <T extends string>(names: readonly T[]): readonly T[] =>
    names.some((name) => only.includes(name)) ? names.filter((name) => only.includes(name)) : names
  return chosen(POLICIES).flatMap((policy) => chosen(SYSTEMS).map((system) => ({ system, policy })))
}

export const PARTS = ['records', 'commits'] as const
export type Part = (typeof PARTS)[number]

/** @throws UsageError */
export function partsOf(names: readonly string[]): readonly Part[] {
  const wrong = names.find((name) => !(PARTS as readonly string[]).includes(name))
  if (wrong !== undefined) throw new UsageError(`--parts ${wrong}: give ${oneOf(PARTS)}`)
  return names.length === 0 ? PARTS : PARTS.filter((part) => names.includes(part))
}

/** Every cell once a round, so that a busy moment of the machine meets all of them, not the last one alone. */
export function schedule(
  cells: readonly Cell[],
  rounds: number,
): { readonly round: number; readonly cell: Cell }[] {
  return Array.from({ length: rounds }, (_, round) => {
    // Every other round backwards: none always runs behind the same neighbour's flushes.
    const order = round % 2 === 0 ? cells : [...cells].reverse()
    return order.map((cell) => ({ round, cell }))
  }).flat()
}
