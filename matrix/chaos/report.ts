import { randomBytes } from 'node:crypto'
import type { Figures } from './ledger.js'
import type { ChaosOutcome } from './run.js'

const whole = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 0 })

/** One line while it goes on. */
export function figuresLine(figures: Figures): string {
  const { acknowledged, processed, again, members, state, rebalances, commits } = figures
  return (
    `sent ${whole(acknowledged)}, processed ${whole(processed)} (${whole(again)} again), ${whole(commits)} commits, ` +
    `${whole(rebalances)} sharings, ${state} of ${members}`
  )
}

/** What it came to, for people. */
export function verdict({ faults, figures, deeds }: ChaosOutcome, title: string): string {
  const told = Object.entries(deeds).map(([name, count]) => `${name} ${count}`)
  const refused = Object.entries(figures.refusedCommits).map(([name, count]) => `${name} ${count}`)
  const { acknowledged, processed, again, commits, rebalances, generation, longestRebalanceMs } = figures
  const lines = [
    `deeds         ${told.join(', ') || 'none'}`,
    `records       ${whole(acknowledged)} acknowledged, ${whole(processed)} processed, ${whole(again)} once more`,
    `commits       ${whole(commits)}; refused: ${refused.join(', ') || 'none'}`,
    `rebalances    ${whole(rebalances)} sharings${generation > 0 ? `, up to generation ${generation}` : ''}; not stable for ${whole(longestRebalanceMs)} ms at most`,
  ]
  const result =
    faults.length === 0
      ? `${title}: all held: each record processed, no commit went back, every rebalance ended, no partition had two owners`
      : `${title}: ${faults.length} faults:\n${faults.map(({ what }) => `  ${what}`).join('\n')}`
  return [...lines, result].join('\n')
}

/** For names that no other run has. */
export const duplicateFree = (): string => randomBytes(4).toString('hex')
