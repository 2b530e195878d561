import { writeFile } from 'node:fs/promises'
import { Command, CommanderError } from 'commander'
import { Refusal } from '../clients/tools.js'
import { collect, positiveInteger } from '../commands/options.js'
import { suiteVersion } from '../root.js'
import { provisionJavaServer } from '../targets/java-server.js'
import { KAFKA_JARS, KAFKA_VERSION } from '../targets/kafka.js'
import { UsageError } from '../usage-error.js'
import { describeMachine } from './machine.js'
import type { Load } from './measure.js'
import type { CommitLoad } from './measure-commits.js'
import { cellsOf, partsOf } from './plan.js'
import { behindLines, benchJson, benchTables } from './report.js'
import { oneLine, runBench } from './run.js'

/*
 * npm run bench: the embedded reference beside a real Apache Kafka, on this machine, by Kafka's own measuring programs.
 * Exit codes: 0 measured, 1 a cell failed, 2 wrong usage or nothing could be measured, 130 interrupted (what was
 * measured by then is told and written, marked as partial).
 */

const EXIT = { measured: 0, failed: 1, nothing: 2, interrupted: 130 }

const COMMITTING_GROUPS = 1_000

interface Options {
  readonly records: number
  readonly recordSize: number
  readonly warmUp: number
  readonly latencyRecords: number
  readonly commits: number
  readonly commitSeconds: number
  readonly repeat: number
  readonly parts?: string[]
  readonly out: string
  readonly only?: string[]
  readonly profile?: string
}

function commandLine(): Command {
  return new Command('bench')
    .description(
      'Measure the reference beside a real Apache Kafka with the same load and the same flush policy.',
    )
    .option('--records <count>', 'records of the throughput runs', positiveInteger, 1_000_000)
    .option('--record-size <bytes>', 'size of a record', positiveInteger, 100)
    .option('--warm-up <count>', 'records sent and read before anything counts', positiveInteger, 500_000)
    .option('--latency-records <count>', 'records sent at 1,000 a second', positiveInteger, 20_000)
    .option('--commits <count>', 'of 1,000 groups, as fast as they go', positiveInteger, 100_000)
    .option('--commit-seconds <count>', 'of commits at 1,000 a second', positiveInteger, 10)
    .option('--parts <names>', 'records, commits: what to measure of each', collect)
    .option('--repeat <rounds>', 'rounds; the median of them is told', positiveInteger, 3)
    .option('--only <names>', 'kafka, reference-pulsar, reference-kafka, os, sync: what to measure', collect)
    .option('--out <file>', 'where the results go', 'bench.json')
    .option('--profile <folder>', "write the reference's CPU profiles there (its figures then suffer)")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'bench: ')) })
}

const print = (text: string) => void process.stdout.write(`${text}\n`)
const tell = (text: string) => void process.stderr.write(`${text}\n`)

async function main(argv: readonly string[]): Promise<number> {
  const command = commandLine().parse([...argv], { from: 'user' })
  if (command.args[0] !== undefined)
    throw new UsageError(`${command.args[0]}: takes options only; see --help`)
  const options = command.opts<Options>()
  const cells = cellsOf(options.only ?? [])
  const parts = partsOf(options.parts ?? [])
  const load = parts.includes('records') ? recordLoad(options) : null
  const commitLoad = parts.includes('commits') ? commitLoadOf(options) : null
  const signal = interruptSignal()
  const kafka = await provisionJavaServer(KAFKA_JARS, { onProgress: tell, signal })
  const machine = await describeMachine(kafka.java)
  const startedAt = new Date().toISOString()
  const results = await runBench({
    cells,
    rounds: options.repeat,
    load,
    commitLoad,
    kafka,
    profileFolder: options.profile,
    signal,
    onStep: ({ number, steps, round, cell }) => tell(`[${number}/${steps}] round ${round}: ${cell}`),
    onSample: (told) => tell(`        ${told}`),
  })
  const bench = {
    startedAt,
    endedAt: new Date().toISOString(),
    suite: suiteVersion,
    kafka: KAFKA_VERSION,
    rounds: options.repeat,
    partial: signal.aborted,
    load,
    commitLoad,
    machine,
    results,
  }
  await writeFile(options.out, `${JSON.stringify(benchJson(bench), null, 2)}\n`)
  print(benchTables(results))
  const behind = behindLines(results)
  if (behind.length > 0)
    print(`\nKafka ${KAFKA_VERSION} is ahead in:\n${behind.map((line) => `  ${line}`).join('\n')}`)
  print(`\nwritten to ${options.out}`)
  if (signal.aborted) return EXIT.interrupted
  if (results.every(({ samples }) => samples.length === 0)) return EXIT.nothing
  return results.some(({ failures }) => failures.length > 0) ? EXIT.failed : EXIT.measured
}

function recordLoad(options: Options): Load {
  return {
    records: options.records,
    recordBytes: options.recordSize,
    warmUpRecords: options.warmUp,
    latencyRecords: options.latencyRecords,
    latencyRecordsPerSecond: 1_000,
  }
}

function commitLoadOf({ commits, commitSeconds }: Options): CommitLoad {
  return { commits, groups: COMMITTING_GROUPS, steadySeconds: commitSeconds }
}

/** Ctrl-C ends the bench in order: broker stopped, its data removed; a second one ends the process. */
function interruptSignal(): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(EXIT.interrupted)
      tell('interrupted: stopping the broker')
      abort.abort()
    })
  }
  return abort.signal
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.measured : EXIT.nothing
  const isExpected = error instanceof UsageError || error instanceof Refusal
  tell(`bench: ${oneLine(error)}${isExpected ? '' : ' (an error of the bench itself)'}`)
  return EXIT.nothing
}

process.exitCode = await main(process.argv.slice(2)).catch(exitCodeOf)
