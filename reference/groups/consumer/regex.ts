/*
 * The regular expressions of subscriptions (KIP-848), in the syntax of RE2 as far as topic names need it, and as RE2
 * does in time that the pattern's length bounds: a match follows all ways at once, and none twice. What is left out is
 * refused: flags in the pattern, Unicode classes, names of groups, \b, \A, \z, \Q.
 */

/** From places in the text to the places after what matches. */
type Matcher = (text: string, starts: ReadonlySet<number>) => ReadonlySet<number>

/** As RE2: more would make small patterns big ones. */
const repeatMax = 1000
const nodesMax = 10_000
const nothing: Matcher = (_text, starts) => starts

/** @returns whether a whole topic name matches; null: the pattern is none, or of a kind that is left out. */
export function topicPattern(pattern: string): ((name: string) => boolean) | null {
  try {
    const matcher = new Parser(pattern).all()
    return (name) => matcher(name, new Set([0])).has(name.length)
  } catch (error) {
    if (error instanceof PatternError) return null
    throw error
  }
}

class PatternError extends Error {}

class Parser {
  readonly #pattern: string
  #at = 0
  #nodes = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  all(): Matcher {
    const matcher = this.#alternatives()
    if (this.#at < this.#pattern.length) throw new PatternError('a parenthesis too many')
    return matcher
  }

  #alternatives(): Matcher {
    const ways = [this.#sequence()]
    while (this.#takes('|')) ways.push(this.#sequence())
    return ways.length === 1 ? (ways[0] ?? nothing) : eitherOf(ways)
  }

  #sequence(): Matcher {
    const parts: Matcher[] = []
    while (this.#at < this.#pattern.length && !this.#isNext('|') && !this.#isNext(')'))
      parts.push(this.#repeated())
    return (text, starts) => parts.reduce((places, part) => part(text, places), starts)
  }

  #repeated(): Matcher {
    const before = this.#nodes
    let matcher = this.#single()
    let isRepeated = false
    for (;;) {
      const times = this.#times()
      if (times === null) return matcher
      if (isRepeated) throw new PatternError('two repetitions in a row')
      isRepeated = true
      // Which way is preferred does not matter for whether there is one.
      this.#takes('?')
      const copies = times.most === Number.POSITIVE_INFINITY ? times.least + 1 : times.most
      this.#nodes += (this.#nodes - before) * copies
      if (this.#nodes > nodesMax) throw new PatternError('too big')
      matcher = repeat(matcher, times.least, times.most)
    }
  }

  #times(): { readonly least: number; readonly most: number } | null {
    if (this.#takes('*')) return { least: 0, most: Number.POSITIVE_INFINITY }
    if (this.#takes('+')) return { least: 1, most: Number.POSITIVE_INFINITY }
    if (this.#takes('?')) return { least: 0, most: 1 }
    const [all, from, comma, to] = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(this.#pattern.slice(this.#at)) ?? []
    if (all === undefined) return null
    this.#at += all.length
    const least = Number(from)
    const most = comma === '' ? least : to === '' ? Number.POSITIVE_INFINITY : Number(to)
    const isWrong = least > repeatMax || most < least || (most > repeatMax && Number.isFinite(most))
    if (isWrong) throw new PatternError('a repetition that cannot be')
    return { least, most }
  }

  #single(): Matcher {
    if (++this.#nodes > nodesMax) throw new PatternError('too big')
    const character = this.#next()
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return oneOf(this.#class())
      case '.':
        return oneOf((each) => each !== '\n')
      case '^':
        return (_text, starts) => (starts.has(0) ? new Set([0]) : new Set())
      case '$':
        return (text, starts) => (starts.has(text.length) ? new Set([text.length]) : new Set())
      case '\\':
        return oneOf(this.#escaped())
      case '*':
      case '+':
      case '?':
        throw new PatternError('nothing to repeat')
      default:
        return oneOf((each) => each === character)
    }
  }

  #group(): Matcher {
    if (this.#takes('?') && !this.#takes(':')) throw new PatternError('a kind of group that is left out')
    const matcher = this.#alternatives()
    if (!this.#takes(')')) throw new PatternError('a parenthesis is missing')
    return matcher
  }

  #class(): Test {
    const isNegated = this.#takes('^')
    const tests: Test[] = []
    for (let isFirst = true; isFirst || !this.#isNext(']'); isFirst = false) tests.push(this.#classPart())
    this.#at++
    return (each) => tests.some((test) => test(each)) !== isNegated
  }

  #classPart(): Test {
    if (this.#isNext('[') && this.#pattern[this.#at + 1] === ':') throw new PatternError('a named class')
    const from = this.#next()
    if (from === '\\') return this.#escaped()
    if (!this.#isNext('-') || this.#pattern[this.#at + 1] === ']') return (each) => each === from
    this.#at++
    const to = this.#next()
    if (to === '\\' || to < from) throw new PatternError('a range that cannot be')
    return (each) => each >= from && each <= to
  }

  #escaped(): Test {
    const character = this.#next()
    const known = escapes[character]
    if (known !== undefined) return known
    if (/[\p{L}\p{N}]/u.test(character)) throw new PatternError(`\\${character} is left out`)
    return (each) => each === character
  }

  #next(): string {
    const character = this.#pattern[this.#at++]
    if (character === undefined) throw new PatternError('it ends too early')
    return character
  }

  #isNext(character: string): boolean {
    return this.#pattern[this.#at] === character
  }

  #takes(character: string): boolean {
    if (!this.#isNext(character)) return false
    this.#at++
    return true
  }
}

type Test = (character: string) => boolean

const isDigit: Test = (each) => each >= '0' && each <= '9'
const isWord: Test = (each) => /^\w$/.test(each)
const isSpace: Test = (each) => '\t\n\f\r '.includes(each)

const escapes: Readonly<Record<string, Test>> = {
  d: isDigit,
  D: (each) => !isDigit(each),
  w: isWord,
  W: (each) => !isWord(each),
  s: isSpace,
  S: (each) => !isSpace(each),
  t: (each) => each === '\t',
  n: (each) => each === '\n',
  r: (each) => each === '\r',
}

function oneOf(test: Test): Matcher {
  return (text, starts) => {
    const ends = new Set<number>()
    for (const start of starts) {
      const character = text[start]
      if (character !== undefined && test(character)) ends.add(start + 1)
    }
    return ends
  }
}

const eitherOf =
  (ways: readonly Matcher[]): Matcher =>
  (text, starts) =>
    new Set(ways.flatMap((way) => [...way(text, starts)]))

function repeat(matcher: Matcher, least: number, most: number): Matcher {
  return (text, starts) => {
    let places = starts
    for (let done = 0; done < least && places.size > 0; done++) places = matcher(text, places)
    const reached = new Set(places)
    for (let done = least; done < most && places.size > 0; done++) {
      places = new Set([...matcher(text, places)].filter((place) => !reached.has(place)))
      for (const place of places) reached.add(place)
    }
    return reached
  }
}
