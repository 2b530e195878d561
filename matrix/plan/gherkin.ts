import type { runCucumber } from '@cucumber/cucumber/api'

/** Cucumber's messages, by the type of its own callback. */
export type Envelope = Parameters<NonNullable<Parameters<typeof runCucumber>[2]>>[0]
export type GherkinDocument = NonNullable<Envelope['gherkinDocument']>
export type Pickle = NonNullable<Envelope['pickle']>
type Feature = NonNullable<GherkinDocument['feature']>
type FeatureScenario = NonNullable<Feature['children'][number]['scenario']>

/** Where a pickle (a scenario, or one example of an outline) stands in its feature file. */
export interface Place {
  readonly featureName: string
  readonly rule: string | null
  /** Of the scenario or outline, with its parameters unfilled. */
  readonly scenarioName: string
  /** The scenario's line, or that of the example's row. */
  readonly line: number
  /** The lines of the whole scenario or outline: `feature:12` means it when 12 lies between. */
  readonly firstLine: number
  readonly lastLine: number
  /** 1-based; null: no outline. */
  readonly example: number | null
}

interface Node {
  readonly scenario: FeatureScenario
  readonly rule: string | null
  readonly lastLine: number
}

/** Finds the place of any pickle of one document. */
export function placesOf(document: GherkinDocument): (pickle: Pickle) => Place {
  const nodes = scenarioNodes(document)
  return (pickle) => {
    const node = nodes.find(({ scenario }) => scenario.id === pickle.astNodeIds[0])
    if (node === undefined) throw new Error(`a pickle of ${document.uri} has no scenario`)
    const rows = node.scenario.examples.flatMap((examples) => examples.tableBody)
    const row = rows.findIndex(({ id }) => id === pickle.astNodeIds[1])
    return {
      featureName: document.feature?.name ?? '',
      rule: node.rule,
      scenarioName: node.scenario.name,
      line: rows[row]?.location.line ?? node.scenario.location.line,
      firstLine: node.scenario.location.line,
      lastLine: node.lastLine,
      example: row < 0 ? null : row + 1,
    }
  }
}

function scenarioNodes(document: GherkinDocument): Node[] {
  const children = document.feature?.children ?? []
  return children.flatMap(({ scenario, rule }) => {
    if (scenario !== undefined) return [toNode(scenario, null)]
    const inside = rule?.children.map((child) => child.scenario) ?? []
    return inside
      .filter((child) => child !== undefined)
      .map((child) => toNode(child, rule?.name === '' ? null : (rule?.name ?? null)))
  })
}

function toNode(scenario: FeatureScenario, rule: string | null): Node {
  const stepLines = scenario.steps.map((step) => step.location.line)
  const rowLines = scenario.examples.flatMap(({ location, tableBody }) => [
    location.line,
    ...tableBody.map((row) => row.location.line),
  ])
  return { scenario, rule, lastLine: Math.max(scenario.location.line, ...stepLines, ...rowLines) }
}

/** `N records in one batch` → `n-records-in-one-batch`. */
export function slug(text: string): string {
  const words = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f'’]/g, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g)
  return words?.join('-') ?? 'unnamed'
}
