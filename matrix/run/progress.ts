import { SingleBar } from 'cli-progress'
import type { Observation, ObservedVerdict } from '../judge/verdicts.js'

/** How a run shows that it moves. Everything goes to standard error: standard output is the report's. */
export interface Progress {
  line(text: string): void
  start(cases: number): void
  observed(observation: Observation): void
  stop(): void
}

/** A bar where there is a terminal, a line every few seconds where there is none. */
export function progressFor(stream: NodeJS.WriteStream, isCi: boolean): Progress {
  return stream.isTTY && !isCi ? new LiveBar(stream) : new PlainLines((text) => stream.write(`${text}\n`))
}

class LiveBar implements Progress {
  #stream: NodeJS.WriteStream
  #bar: SingleBar | null = null
  #counts = noCounts()

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  line(text: string): void {
    this.#stream.write(`${text}\n`)
  }

  start(cases: number): void {
    this.#counts = noCounts()
    this.#bar = new SingleBar({
      stream: this.#stream,
      format: ' {bar} {value}/{total}  {told}  {latest}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      fps: 8,
      gracefulExit: false,
    })
    this.#bar.start(cases, 0, { told: '', latest: '' })
  }

  observed(observation: Observation): void {
    this.#counts[observation.verdict] += 1
    this.#bar?.increment(1, {
      told: told(this.#counts),
      latest: observation.scenarioId.split('/').slice(0, 2).join('/').slice(0, 40),
    })
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = null
  }
}

const LINE_EVERY_MS = 5_000

class PlainLines implements Progress {
  #write: (text: string) => void
  #counts = noCounts()
  #cases = 0
  #done = 0
  #lastMs = performance.now()

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  line(text: string): void {
    this.#write(text)
  }

  start(cases: number): void {
    this.#counts = noCounts()
    this.#done = 0
    this.#cases = cases
    this.#lastMs = performance.now()
  }

  observed(observation: Observation): void {
    this.#counts[observation.verdict] += 1
    this.#done += 1
    const now = performance.now()
    if (this.#done < this.#cases && now - this.#lastMs < LINE_EVERY_MS) return
    this.#lastMs = now
    this.#write(`${this.#done}/${this.#cases} cases: ${told(this.#counts)}`)
  }

  stop(): void {}
}

function noCounts(): Record<ObservedVerdict, number> {
  return { passed: 0, failed: 0, unsupported: 0, 'could-not-run': 0 }
}

function told(counts: Record<ObservedVerdict, number>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(', ')
}
