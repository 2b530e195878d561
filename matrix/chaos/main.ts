#!/usr/bin/env node
import { randomInt } from 'node:crypto'
import { Command, CommanderError, Option } from 'commander'
import { loadClients, provisionClient } from '../clients/index.js'
import type { ReadyClient } from '../clients/types.js'
import { EXIT } from '../commands/exit.js'
import { hostAndPort, positiveInteger, seed, settings } from '../commands/options.js'
import { chooseTarget, type TargetOptions } from '../commands/target-choice.js'
import { DriverCrashed, Unsupported } from '../driver/errors.js'
import { type ChosenClient, chooseClients } from '../plan/clients.js'
import { NothingRun, UsageError } from '../usage-error.js'
import { duplicateFree, figuresLine, verdict } from './report.js'
import { type ChaosOptions, runChaos } from './run.js'

/*
 * npm run chaos: a consumer group under random deaths, hangs, leavings and comings, and what it must not lose by them.
 * Exit codes: 0 all held, 1 it did not, 2 wrong usage or nothing could be run, 130 interrupted.
 */

const PARTITIONS = 64
const MEMBERS = 8
const VISITORS = 2
/** Kafka's least. */
const SESSION_MS = 6_000
/** A Java virtual machine is dear: several members share one. */
const JAVA_PROCESSES = 2

interface Options extends TargetOptions {
  readonly seconds: number
  readonly seed?: number
  readonly client: string
  readonly records: number
  readonly processes?: number
  readonly assignor: ChaosOptions['assignor']
  readonly killBroker: number
}

const program = new Command('npm run chaos --')
  .description(
    `Kill, pause, add and take out members of a group of ${MEMBERS} over ${PARTITIONS} partitions.`,
  )
  .option('--seconds <count>', 'how long members come and go', positiveInteger, 300)
  .option('--seed <number>', 'of every random choice (default: a new one, printed)', seed)
  .option('--client <name>', 'of the members: name or name@version', 'kafkajs')
  .option('--records <count>', 'sent meanwhile', positiveInteger, 100_000)
  .option('--processes <count>', `processes that the ${MEMBERS} members live in`, positiveInteger)
  .addOption(
    new Option('--assignor <name>', 'of the members')
      .choices(['range', 'roundrobin', 'sticky', 'cooperative-sticky'])
      .default('roundrobin'),
  )
  .option('--kill-broker <times>', 'kill the broker so often, and start it again', positiveInteger)
  .option('--target <kind>', 'reference or kafka, started by the run (default: reference)')
  .option('--kafka <host:port>', 'Kafka address of a running system', hostAndPort)
  .option('--settings <list>', 'of the started reference, such as entryFormat=kafka', settings)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'chaos: ')) })

const say = (text: string) => void process.stderr.write(`${text}\n`)

async function chaos(options: Options, signal: AbortSignal): Promise<number> {
  const client = oneClient(options.client)
  const { kind, settings: targetSettings } = chooseTarget(options)
  const brokerKills = options.killBroker ?? 0
  if (brokerKills > 0 && !kind.powers.has('kill'))
    throw new UsageError('--kill-broker: only a target that the run has started can be killed')
  const processes = options.processes ?? (client.spec.language === 'java' ? JAVA_PROCESSES : MEMBERS)
  if (MEMBERS % processes !== 0)
    throw new UsageError(`--processes ${processes}: ${MEMBERS} members do not go evenly into so many`)
  const ready = await provision(client, signal)
  const raw = await provision(oneClient('raw'), signal)
  const seedUsed = options.seed ?? randomInt(0x1_0000_0000)
  const title = `${client.spec.name} ${client.version}`
  const target = await kind.start({ settings: targetSettings, onProgress: say, signal })
  say(`seed ${seedUsed}; ${title}, ${options.assignor}; ${target.kind} ${target.version}`)
  const name = `chaos-${duplicateFree()}`
  try {
    const outcome = await runChaos({
      ...{ client: ready, raw, target, topic: name, group: `${name}-group`, seed: seedUsed },
      ...{ durationMs: options.seconds * 1_000, records: options.records, partitions: PARTITIONS },
      ...{ processes, membersEach: MEMBERS / processes, visitors: VISITORS, assignor: options.assignor },
      ...{ sessionTimeoutMs: SESSION_MS, brokerKills, signal },
      onDeed: (deed) =>
        say(
          `${(deed.atMs / 1000).toFixed(1).padStart(6)} s  ${deed.name}${deed.slot < 0 ? '' : ` ${deed.slot + 1}`}, for ${deed.forMs} ms`,
        ),
      onFigures(elapsedMs, figures) {
        const second = Math.round(elapsedMs / 1000)
        if (second % 5 === 0) say(`${String(second).padStart(4)} s    ${figuresLine(figures)}`)
      },
    })
    process.stdout.write(`${verdict(outcome, title)}\n`)
    if (outcome.faults.length > 0) say(`the target's log ends:\n${await target.logTail()}`)
    process.stdout.write(`repeat: ${repeatCommand(options, client, seedUsed)}\n`)
    return outcome.faults.length > 0 ? EXIT.failed : EXIT.passed
  } finally {
    await target.stop()
  }
}

function oneClient(text: string): ChosenClient {
  const [client, ...more] = chooseClients(text, loadClients())
  if (client === undefined || more.length > 0) throw new UsageError(`--client ${text}: name one client`)
  if (client.spec.kind !== 'kafka' && client.spec.kind !== 'raw')
    throw new UsageError(`--client ${text}: it is no client of Kafka`)
  return client
}

async function provision({ spec, version }: ChosenClient, signal: AbortSignal): Promise<ReadyClient> {
  const client = await provisionClient(spec, version, { onProgress: say, signal })
  if ('reason' in client) throw new NothingRun(`${spec.name} ${version}: ${client.reason}; ${client.remedy}`)
  return client
}

function repeatCommand(options: Options, { spec, version }: ChosenClient, seedUsed: number): string {
  const told = {
    seconds: options.seconds,
    seed: seedUsed,
    client: `${spec.name}@${version}`,
    records: options.records,
    processes: options.processes,
    assignor: options.assignor,
    'kill-broker': options.killBroker,
    target: options.target,
    kafka: options.kafka,
    settings: options.settings?.text,
  }
  const words = Object.entries(told).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${value}`],
  )
  return `npm run chaos -- ${words.join(' ')}`
}

/** Ctrl-C ends it in order: processes killed, the broker stopped, its data removed. */
function interruptSignal(): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(EXIT.interrupted)
      say('interrupted: stopping')
      abort.abort()
    })
  }
  return abort.signal
}

function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.passed : EXIT.nothingRun
  if (signal.aborted) return EXIT.interrupted
  const isExpected = [UsageError, NothingRun, Unsupported, DriverCrashed].some(
    (type) => error instanceof type,
  )
  say(`chaos: ${error instanceof Error ? error.message : String(error)}`)
  if (!isExpected && error instanceof Error) say(error.stack ?? '')
  return EXIT.nothingRun
}

const signal = interruptSignal()
try {
  program.parse(process.argv)
  process.exitCode = await chaos(program.opts<Options & Record<string, unknown>>(), signal)
  if (signal.aborted) process.exitCode = EXIT.interrupted
} catch (error) {
  process.exitCode = exitCodeOf(error, signal)
}
