import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { packageRoot } from '../root.js'
import { kafkaOps } from './messages.js'
import { driverProtocolSchema } from './schema.js'

const schemaFile = join(packageRoot, 'matrix', 'driver', 'driver-protocol.schema.json')
const published = JSON.parse(readFileSync(schemaFile, 'utf8'))

function problemsOf(name: string, value: unknown): string {
  const ajv = new Ajv2020({ strict: false })
  ajv.addSchema(published, 'protocol')
  const validate = ajv.getSchema(`protocol#/$defs/${name}`)
  assert.ok(validate, name)
  validate(value)
  return ajv.errorsText(validate.errors)
}

test('driver-protocol.schema.json is what the messages say', () => {
  assert.deepEqual(published, JSON.parse(JSON.stringify(driverProtocolSchema())))
})

test('the schema takes the lines of a driver, and refuses others', () => {
  assert.equal(problemsOf('ready', { ready: { client: 'mine', version: '1', kind: 'kafka' } }), 'No errors')
  assert.notEqual(problemsOf('ready', { ready: { client: 'mine', version: '1' } }), 'No errors')
  assert.equal(problemsOf('response', { id: 1, error: { name: 'TIMEOUT', message: '' } }), 'No errors')
  assert.notEqual(problemsOf('response', { error: { name: 'TIMEOUT', message: '' } }), 'No errors')
  const sent = kafkaOps.produce.args.parse({ topic: 't', records: [{ key: null, value: 'dg==' }] })
  assert.equal(problemsOf('kafka.produce.args', sent), 'No errors')
  assert.equal(problemsOf('kafka.produce.result', { records: [{ partition: 0, offset: '7' }] }), 'No errors')
  assert.match(problemsOf('kafka.produce.result', { records: [{ offset: 7 }] }), /offset must be string/)
})
