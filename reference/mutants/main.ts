#!/usr/bin/env node
import { main } from '../command.js'
import { mutants } from './index.js'

/**
 * The reference broker with one rule broken: takes the reference's own command line, and the variant's name from
 * KOP_CONFORMANCE_MUTANT (without it, the broker is right). `--list` prints the variants as JSON. Not shipped.
 */
const name = process.env.KOP_CONFORMANCE_MUTANT ?? ''
const args = process.argv.slice(2)

if (args[0] === '--list') {
  const table = mutants.map(({ name, breaks, description }) => ({ name, breaks, description }))
  process.stdout.write(`${JSON.stringify(table, null, 2)}\n`)
} else if (name === '') {
  await main(args)
} else {
  const mutant = mutants.find((each) => each.name === name)
  if (mutant === undefined) {
    process.stderr.write(`KOP_CONFORMANCE_MUTANT=${name}: there is no such variant; see --list\n`)
    process.exit(2)
  }
  mutant.install?.()
  await main(args, mutant.replace === undefined ? {} : { replace: mutant.replace })
}
