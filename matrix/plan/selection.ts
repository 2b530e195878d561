import { nearest, oneOf, UsageError } from '../usage-error.js'
import { type Level, levels, type Register } from './register.js'
import type { Scenario } from './scenarios.js'

export interface Selection {
  /** Folder names under features/, or the register's codes: `conversion`, `MC`. */
  readonly chapters: readonly string[]
  /** Each a requirement id, a scenario id (or the beginning of one), or `features/x.feature[:line]`. */
  readonly only: readonly string[]
  /** MUST, DECLARED, SHOULD; none: all. */
  readonly levels?: readonly string[]
}

/**
 * The scenarios that the options name, in their order: those of any of the chapters, any of the levels, and any of `only`.
 * @throws UsageError for a name that selects nothing
 */
export function select(
  scenarios: readonly Scenario[],
  selection: Selection,
  register: Register,
): readonly Scenario[] {
  const byChapter = union(scenarios, selection.chapters, (text) => chapterMatcher(text, scenarios, register))
  const byLevel = union(byChapter, selection.levels ?? [], levelMatcher)
  return union(byLevel, selection.only, (text) => onlyMatcher(text, scenarios, register))
}

type Matcher = (scenario: Scenario) => boolean

function union(
  scenarios: readonly Scenario[],
  texts: readonly string[],
  matcherOf: (text: string) => Matcher,
): readonly Scenario[] {
  if (texts.length === 0) return scenarios
  const matchers = texts.map(matcherOf)
  return scenarios.filter((scenario) => matchers.some((matches) => matches(scenario)))
}

function levelMatcher(text: string): Matcher {
  const level = levels.find((each): each is Level => each === text.toUpperCase())
  if (level === undefined) throw new UsageError(`--level ${text}: there are ${oneOf(levels)}`)
  return (scenario) => scenario.level === level
}

function chapterMatcher(text: string, scenarios: readonly Scenario[], register: Register): Matcher {
  const wanted = text.toLowerCase()
  const matches: Matcher = (scenario) =>
    scenario.folder.toLowerCase() === wanted ||
    scenario.requirementIds.some((id) => register.byId.get(id)?.chapter.toLowerCase() === wanted)
  if (scenarios.some(matches)) return matches
  const chapters = [...new Set(scenarios.flatMap(({ chapter, folder }) => [folder, chapter]))]
  throw new UsageError(`--chapter ${text}: no such chapter; there are ${chapters.join(', ')}`)
}

function onlyMatcher(text: string, scenarios: readonly Scenario[], register: Register): Matcher {
  if (/^[a-z]{2}-\d+$/i.test(text)) return requirementMatcher(text.toUpperCase(), scenarios, register)
  if (/\.feature(:\d+)*$/.test(text)) return placeMatcher(text, scenarios)
  return idMatcher(text, scenarios)
}

function requirementMatcher(id: string, scenarios: readonly Scenario[], register: Register): Matcher {
  if (!register.byId.has(id)) throw new UsageError(`--only ${id}: the register has no such requirement`)
  const matches: Matcher = (scenario) => scenario.requirementIds.includes(id)
  if (scenarios.some(matches)) return matches
  throw new UsageError(`--only ${id}: no scenario shows this requirement yet; see: kop-conformance list`)
}

function placeMatcher(text: string, scenarios: readonly Scenario[]): Matcher {
  const [path = '', ...lines] = text.replaceAll('\\', '/').replace(/^\.\//, '').split(':')
  const numbers = lines.map(Number)
  const inFile = scenarios.filter(
    ({ feature }) => feature === path || feature.endsWith(`/${path}`) || path.endsWith(`/${feature}`),
  )
  if (inFile.length === 0) throw new UsageError(`--only ${text}: no such feature file in the suite`)
  const found = inFile.filter((scenario) => isAt(scenario, numbers, inFile))
  if (found.length === 0) throw new UsageError(`--only ${text}: no scenario stands at that line`)
  return (scenario) => found.includes(scenario)
}

/** A line of an example's row means that example; any other line of a scenario or outline means all of it. */
function isAt(scenario: Scenario, lines: readonly number[], inFile: readonly Scenario[]): boolean {
  if (lines.length === 0) return true
  return lines.some((line) => {
    const exact = inFile.some((other) => other.line === line && other.line !== other.firstLine)
    return exact ? scenario.line === line : scenario.firstLine <= line && line <= scenario.lastLine
  })
}

function idMatcher(text: string, scenarios: readonly Scenario[]): Matcher {
  if (scenarios.some(({ id }) => id === text)) return ({ id }) => id === text
  const begins: Matcher = ({ id }) =>
    id.startsWith(`${text}#`) || id.startsWith(`${text.replace(/\/$/, '')}/`)
  if (scenarios.some(begins)) return begins
  const near = nearest(
    text,
    scenarios.map(({ id }) => id),
  )
  const hint = near === null ? 'see: kop-conformance list' : `did you mean ${near}?`
  throw new UsageError(`--only ${text}: no such requirement, feature or scenario; ${hint}`)
}
