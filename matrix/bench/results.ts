import { type FigureName, figureNames, figureSpec, type Sample } from './figures.js'
import { type Cell, cellName, type Policy, type System } from './plan.js'
import { type Comparison, compare, type Spread, spreadOf } from './statistics.js'

/** What was seen of one cell: a sample for each round that went through, a reason for each that did not. */
export interface CellResult {
  readonly cell: Cell
  readonly samples: Sample[]
  readonly failures: string[]
}

export type Figures = Partial<Record<FigureName, Spread>>

/** The spread of every figure that was measured. */
export function figuresOf({ samples }: CellResult): Figures {
  const figures: Figures = {}
  for (const name of figureNames) {
    const spread = spreadOf(samples.map((sample) => sample[name]).filter((value) => value !== undefined))
    if (spread !== null) figures[name] = spread
  }
  return figures
}

export interface Ratios {
  readonly system: System
  readonly policy: Policy
  readonly figures: Partial<Record<FigureName, Comparison>>
}

/** Each cell of the reference against Kafka under the same flush policy. Empty where Kafka was not measured. */
export function ratiosOf(results: readonly CellResult[]): Ratios[] {
  return results
    .filter(({ cell }) => cell.system !== 'kafka')
    .flatMap(({ cell, ...rest }) => {
      const rival = results.find(
        (other) => cellName(other.cell) === cellName({ system: 'kafka', policy: cell.policy }),
      )
      return rival === undefined ? [] : [{ ...cell, figures: compareAll(rival, { cell, ...rest }) }]
    })
}

function compareAll(kafka: CellResult, reference: CellResult): Partial<Record<FigureName, Comparison>> {
  const [theirs, ours] = [figuresOf(kafka), figuresOf(reference)]
  const comparisons: Partial<Record<FigureName, Comparison>> = {}
  for (const name of figureNames) {
    const [their, our] = [theirs[name], ours[name]]
    if (their && our) comparisons[name] = compare(their.median, our.median, figureSpec(name).better)
  }
  return comparisons
}
