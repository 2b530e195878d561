#!/usr/bin/env node
import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command, CommanderError, Option } from 'commander'
import { EXIT } from './commands/exit.js'
import {
  collect,
  eachOne,
  hostAndPort,
  httpUrl,
  positiveInteger,
  pulsarUrl,
  seconds,
  seed,
  settings,
  shard,
} from './commands/options.js'
import { packageRoot, suiteVersion } from './root.js'
import { NothingRun, UsageError } from './usage-error.js'

/*
 * kop-conformance: the command line. Exit codes: 0 all required passed, 1 conformance failures, 2 wrong usage or nothing
 * could be run, 130 interrupted (the report is there, marked as partial). A command's code is loaded when it is called:
 * help and the reference broker start without the suite.
 */

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function buildProgram(): Command {
  const program = new Command('kop-conformance')
    .description('Conformance suite for Kafka-on-Pulsar systems, with a reference broker')
    .version(suiteVersion)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'kop-conformance: ')) })
    .showSuggestionAfterError()
  addRun(program)
  addPlan(program)
  addList(program)
  addReport(program)
  addProve(program)
  program
    .command('doctor')
    .description('say what is ready on this machine, and what to do about the rest')
    .option('--client <folder>', 'a client of your own beside the others; may be repeated', eachOne)
    .option('--json', 'print JSON')
    .action(async (options) => print(await (await import('./commands/doctor.js')).doctor(options)))
  program
    .command('reference')
    .description('start the reference broker; see: kop-conformance reference --help')
    .helpOption(false)
    .allowUnknownOption()
  return program
}

function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('run the suite against a target, and write the report')
    .option('--jobs <count>', 'worker processes (default: one more than there are cores)', positiveInteger)
    .option(
      '--repeat <times>',
      'run each case so often; what does not always pass is flaky',
      positiveInteger,
      1,
    )
    .option('--seed <number>', 'of every random choice (default: a new one, printed)', seed)
    .option('--shard <i/n>', 'run one of several parts of the plan; see: report --merge', shard)
    .option('--resume <folder>', 'go on with the interrupted run whose report is there')
    .option('--out <folder>', 'where the report goes', 'report')
    .option('--timeout <seconds>', 'of one scenario', seconds, 120)
    .addOption(
      new Option('--control <when>', 'run failures again on real Kafka and Pulsar, to tell whose they are')
        .choices(['auto', 'always', 'never'])
        .default('auto', 'auto: where Java and Maven are'),
    )
    .option('--control-timeout <seconds>', 'of all these controls together', seconds, 300)
    .option('--unproven', 'let drivers judge that no smoke has proved in their present state')
    .option('--known-failing <file>', 'known failures of the target, beside those of the clients')
    .option('--json', 'print the summary as JSON')
    .action(async (options, own: Command) => {
      const { runCommand } = await import('./commands/run.js')
      const given = Object.keys(options).filter((name) => own.getOptionValueSource(name) === 'cli')
      process.exitCode = await runCommand(options, new Set(given), interruptSignal())
    })
  addSelection(command)
  addTarget(command)
}

function addProve(program: Command): void {
  program
    .command('prove')
    .description('prove drivers against real Kafka and Pulsar, before they may judge a target')
    .option(
      '--clients <names>',
      'quick, all, every, or a list such as kafkajs,pulsar-client-java@4.*',
      'every',
    )
    .option('--client <folder>', 'a client of your own; alone, only these are proved', eachOne)
    .option('--missing', 'leave out drivers that are proven in their present state')
    .option('--update', "write matrix/clients/proven.json and the README's table (in a checkout)")
    .option('--json', 'print JSON')
    .action(async (options) => {
      const { prove } = await import('./commands/prove.js')
      process.exitCode = await prove(options, interruptSignal('stopping'))
    })
}

function addPlan(program: Command): void {
  const command = program
    .command('plan')
    .description('say what run would run, and about how long, without starting anything')
    .option('--shard <i/n>', 'the part of one of several runs', shard)
    .addOption(new Option('--learn <folder>', 'keep what the scenarios of a report took').hideHelp())
    .option('--json', 'print JSON')
    .action(async (options) => print(await (await import('./commands/plan.js')).plan(options)))
  addSelection(command)
  addTarget(command)
}

function addList(program: Command): void {
  const command = program
    .command('list')
    .description('list the scenarios')
    .option('--json', 'print JSON')
    .action(async (options) => print(await (await import('./commands/list.js')).list(options)))
  addScenarioSelection(command)
}

function addReport(program: Command): void {
  program
    .command('report')
    .description('write the report of a run whose shards ran apart')
    .requiredOption('--merge <folders...>', "the shards' reports, one of each")
    .option('--out <folder>', 'where the report goes', 'report')
    .option('--json', 'print the summary as JSON')
    .action(async (options) => {
      process.exitCode = await (await import('./commands/report.js')).reportCommand(options)
    })
}

function addSelection(command: Command): void {
  addScenarioSelection(command)
  command
    .option('--client <folder>', 'a client of your own beside the others; may be repeated', eachOne)
    .addOption(
      new Option(
        '--plan <name>',
        'quick, its rest, standard or full: which clients, and how scenarios are spread over them',
      ).choices(['quick', 'rest', 'standard', 'full']),
    )
    .option(
      '--clients <names>',
      'quick, all, every, or a list such as kafkajs,pulsar-client-java@4.*: all that these can run, or --plan over these',
    )
    .addOption(
      new Option('--pairs <which>', 'of Kafka and Pulsar clients: enough to meet each, or all')
        .choices(['cover', 'all'])
        .default('cover'),
    )
}

function addScenarioSelection(command: Command): void {
  command
    .option('--chapter <names>', 'folders of features/ or codes of the register, such as MC', collect)
    .option('--only <what>', 'a requirement, a scenario id, or features/x.feature:12', collect)
    .option('--level <names>', 'MUST, DECLARED, SHOULD', collect)
    .option('--tag <expression>', "of Cucumber's tags: @slow, 'not @slow', '@kafka and not @pulsar'")
    .addOption(new Option('--requirement <ids>', 'the same as --only').argParser(collect).hideHelp())
    .hook('preAction', (_, action) => {
      const { only, requirement } = action.opts<{ only?: string[]; requirement?: string[] }>()
      if (requirement !== undefined) action.setOptionValue('only', [...(only ?? []), ...requirement])
    })
}

function addTarget(command: Command): void {
  command
    .option(
      '--target <kind>',
      'reference; kafka or pulsar, of a version if need be (kafka@3.9.1); or container, of an image in --profile (default: reference)',
    )
    .option('--kafka <host:port>', 'Kafka address of a running system', hostAndPort)
    .option('--pulsar <url>', 'its Pulsar address, pulsar://host:port', pulsarUrl)
    .option('--admin <url>', "its admin address, Pulsar's REST, http://host:port", httpUrl)
    .option(
      '--profile <file>',
      'target.yaml: its addresses and credentials, or its image; its answers to the DECLARED requirements',
    )
    .option('--settings <list>', 'of the started reference: entryFormat=kafka,offsetMapping=packed', settings)
}

/** Ctrl-C ends the run in order; a second one ends the process. */
function interruptSignal(what = 'writing the partial report'): AbortSignal {
  const abort = new AbortController()
  // Every client of a plan listens to it while it is made ready.
  setMaxListeners(0, abort.signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(EXIT.interrupted)
      process.stderr.write(`\ninterrupted: ${what}\n`)
      abort.abort()
    })
  }
  return abort.signal
}

/** The reference takes all further arguments, and this process, for its own. */
async function startReference(args: readonly string[]): Promise<void> {
  const main = join(packageRoot, 'dist', 'reference', 'main.js')
  process.argv = [process.execPath, main, ...args]
  await import(pathToFileURL(main).href)
}

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === 'reference') return startReference(args.slice(1))
  const program = buildProgram()
  if (args.length === 0) program.help()
  await program.parseAsync(args, { from: 'user' })
}

/** One line for whatever is the user's to mend; a stack only for what is ours, and only when asked. */
function report(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.nothingRun
    return
  }
  process.exitCode = EXIT.nothingRun
  const message = error instanceof Error ? error.message : String(error)
  const isExpected = error instanceof UsageError || error instanceof NothingRun
  const hint = isExpected ? '' : ' (an error of the suite itself; DEBUG=kop shows where)'
  process.stderr.write(`kop-conformance: ${message}${hint}\n`)
  if (!isExpected && process.env.DEBUG?.includes('kop') && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`)
  }
}

// `… | head` closes the pipe: nobody reads on, and that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await main(process.argv.slice(2))
} catch (error) {
  report(error)
}
