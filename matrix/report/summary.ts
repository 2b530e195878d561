import { type Blame, blames } from '../judge/blame.js'
import { type Verdict, verdicts } from '../judge/verdicts.js'
import { levels } from '../plan/register.js'
import type { Counts, NotRun, Result, ResultCell, Results } from './results.js'

export function countVerdicts(results: readonly { readonly verdict: Verdict }[]): Counts {
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Counts
  for (const { verdict } of results) counts[verdict] += 1
  return counts
}

export function summarize(results: readonly Result[], notRun: readonly NotRun[]): Results['summary'] {
  const chapters = [...new Set(results.map(({ chapter }) => chapter))]
  return {
    verdicts: countVerdicts(results),
    fatal: results.filter(({ fatal }) => fatal).length + notRun.filter(({ required }) => required).length,
    blames: Object.fromEntries(
      blames.map((name) => [name, results.filter(({ blame }) => blame === name).length]),
    ) as Record<Blame, number>,
    byLevel: levels
      .map((level) => ({
        level,
        verdicts: countVerdicts(results.filter((result) => result.level === level)),
      }))
      .filter(({ verdicts: counts }) => sum(counts) > 0),
    byChapter: chapters.map((chapter) => ({
      chapter,
      verdicts: countVerdicts(results.filter((result) => result.chapter === chapter)),
    })),
  }
}

export function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

/** The worst verdict among them; null: nothing ran. */
export function worst(counts: Counts): Verdict | null {
  return verdicts.find((verdict) => counts[verdict] > 0) ?? null
}

/** `137 passed, 2 failed`: what is there, passed first. */
export function sumsLine(counts: Counts): string {
  const told = verdicts
    .toReversed()
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${verdict}`)
  return told.length === 0 ? 'no results' : told.join(', ')
}

const worldOf = {
  kafka: 'Kafka',
  pulsar: 'Pulsar',
  pulsarAdmin: "Pulsar's tool",
  kafkaAdmin: "Kafka's tool",
} as const
const sides = ['kafka', 'pulsar', 'pulsarAdmin', 'kafkaAdmin'] as const

export interface MatrixRow {
  /** `kafkajs 2.2.4`; single requests are a row of their own. */
  readonly title: string
  readonly world: (typeof worldOf)[keyof typeof worldOf] | 'raw'
  readonly counts: readonly Counts[]
  readonly total: Counts
}

export interface Matrix {
  readonly chapters: readonly string[]
  readonly rows: readonly MatrixRow[]
}

/** Clients and tools × chapters. A case counts in the rows of all that it ran with. */
export function matrixOf(report: Results): Matrix {
  const ran = new Set(report.results.map(({ chapter }) => chapter))
  const chapters = report.chapters.map(({ id }) => id).filter((id) => ran.has(id))
  const cells = new Map(report.cells.map((cell) => [cell.id, cell]))
  const rows = rowTitles(report.cells).map(({ title, world, isOf }) => {
    const own = report.results.filter((result) => {
      const cell = cells.get(result.cellId)
      return cell !== undefined && isOf(cell)
    })
    const counts = chapters.map((chapter) =>
      countVerdicts(own.filter((result) => result.chapter === chapter)),
    )
    return { title, world, counts, total: countVerdicts(own) }
  })
  return { chapters, rows }
}

interface RowTitle {
  readonly title: string
  readonly world: MatrixRow['world']
  isOf(cell: ResultCell): boolean
}

function rowTitles(cells: readonly ResultCell[]): RowTitle[] {
  const rows = new Map<string, RowTitle>()
  for (const side of sides) {
    for (const cell of cells) {
      const client = cell[side]
      if (client === null) continue
      const title = `${client.name} ${client.version}`
      const isOf = (other: ResultCell) =>
        other[side]?.name === client.name && other[side].version === client.version
      rows.set(title, { title, world: worldOf[side], isOf })
    }
  }
  const isRaw = (cell: ResultCell) => cell.worlds === 'raw'
  if (cells.some(isRaw)) rows.set('raw', { title: 'raw requests', world: 'raw', isOf: isRaw })
  return [...rows.values()]
}
