import type { Original } from '../judge/blame.js'
import type { ChosenClient } from '../plan/clients.js'
import type { TargetKind } from '../targets/types.js'

/** How failures are held against the originals. */
export interface ControlOptions {
  readonly mode: 'auto' | 'always' | 'never'
  /** For all controls together, their start included. */
  readonly timeoutMs: number
  /** Why no original can be had on this machine; null: they can. */
  readonly missing: () => Promise<string | null>
  readonly kindOf: (original: Original, version: string | null) => TargetKind
  /** Clients to compare with, when the plan has no other ones of a kind. */
  readonly toCompare: readonly ChosenClient[]
}
