import { createInterface } from 'node:readline'
import { Command, CommanderError } from 'commander'
import { type Broker, type StartBrokerOptions, startBroker } from './broker.js'
import {
  ConfigError,
  describeSetting,
  environmentName,
  parseConfig,
  readConfigFile,
  readEnvironment,
  settingNames,
} from './config.js'

const flagOf = (setting: string) => setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const tokenHelp = `
Tokens are JSON Web Tokens whose claim "sub" is the role, signed by tokenSecretKey (HS256 to HS512) or by the private
key of tokenPublicKey (RS, PS or ES): any JWT tool makes them, as does \`pulsar tokens create\`. Kafka clients log in by
SASL PLAIN with user name tenant/namespace and password token:<JWT>. Keys belong in a file or the environment.`

function commandLine(): Command {
  const command = new Command('kop-conformance reference')
    .description('Serve Kafka and Pulsar clients over one store.')
    .option(
      '--config <file>',
      'settings as a properties file; flags win over environment, environment over file',
    )
    .option('--test-control', 'take commands of a test suite on standard input, and end with it')
    .addHelpText('after', tokenHelp)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  for (const name of settingNames) {
    const { description, fallback } = describeSetting(name)
    const known = fallback === undefined ? '' : ` [${fallback}]`
    command.option(`--${flagOf(name)} <value>`, `${description}${known} (${environmentName(name)})`)
  }
  return command
}

function given(argv: readonly string[]): { settings: Record<string, string>; testControl: boolean } {
  const command = commandLine().parse([...argv], { from: 'user' })
  const options: Record<string, unknown> = command.opts()
  const extra = command.args[0]
  if (extra !== undefined) throw new ConfigError(`${extra}: takes options only; see --help`)
  const { config, testControl, ...flags } = options
  return {
    settings: {
      ...(typeof config === 'string' ? readConfigFile(config) : {}),
      ...readEnvironment(process.env),
      ...Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, String(value)])),
    },
    testControl: testControl === true,
  }
}

/**
 * Runs the broker until SIGTERM or SIGINT. When it serves it prints one JSON line, `{"ready":{kafka,pulsar,admin,version}}`,
 * to standard output; its log goes to standard error. Exit codes: 0 stopped as told, 1 could not serve, 2 wrong settings.
 */
export async function main(argv: readonly string[], options: StartBrokerOptions = {}): Promise<void> {
  let failing = false
  try {
    const { settings, testControl } = given(argv)
    const failWrites = () => (failing ? new Error('the store was told to fail') : undefined)
    const broker = await startBroker(
      parseConfig(settings),
      testControl ? { failWrites, ...options } : options,
    )
    const stop = stopOnce(broker)
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
    if (testControl) {
      takeCommands(stop, (value) => {
        failing = value
      })
    }
    process.stdout.write(`${JSON.stringify({ ready: broker.endpoints })}\n`)
  } catch (error) {
    exitWith(error)
  }
}

function stopOnce(broker: Broker): () => void {
  let stopping = false
  return () => {
    if (stopping) return
    stopping = true
    broker.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`reference: did not stop cleanly: ${messageOf(error)}\n`)
        process.exit(1)
      },
    )
  }
}

/** Lines `{"failStore":true|false}` make the store refuse writes or mend it; the end of input stops the broker. */
function takeCommands(stop: () => void, failStore: (failing: boolean) => void): void {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const command: unknown = JSON.parse(line)
    if (command !== null && typeof command === 'object' && 'failStore' in command) {
      failStore(command.failStore === true)
    }
    process.stdout.write(`${JSON.stringify({ ok: true })}\n`)
  })
  lines.on('close', stop)
}

function exitWith(error: unknown): never {
  if (error instanceof CommanderError && error.exitCode === 0) process.exit(0)
  // What stands behind an unknown option may be a secret whose option was misspelt.
  const text = messageOf(error)
    .replace(/^error: /, '')
    .replace(/^(unknown option '[^=]*)=.*/, "$1'")
  process.stderr.write(`reference: ${text}\n`)
  process.exit(error instanceof ConfigError || error instanceof CommanderError ? 2 : 1)
}

const messageOf = (error: unknown) =>
  String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
