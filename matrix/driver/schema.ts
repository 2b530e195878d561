import { z } from 'zod'
import { kafkaAdminOps, pulsarAdminOps } from './admin-messages.js'
import { kafkaOps, pulsarOps, ready, request, response } from './messages.js'
import { rawOps } from './raw-messages.js'
import { wrapperOps } from './wrapper-messages.js'

/** Raised when a driver that was right is not any more. */
export const PROTOCOL_VERSION = 1

const KINDS = {
  kafka: kafkaOps,
  pulsar: pulsarOps,
  'kafka-admin': kafkaAdminOps,
  'pulsar-admin': pulsarAdminOps,
  'pulsar-kafka-wrapper': wrapperOps,
  raw: rawOps,
}

/**
 * JSON Schema, draft 2020-12, of the driver protocol: a line of it, and in `$defs` the arguments and the result of each
 * op, as `kafka.produce.args` and `kafka.produce.result`. Arguments are as a driver is sent them, with their defaults.
 */
export function driverProtocolSchema(): Record<string, unknown> {
  const lines = { ready, request, response }
  const ops = Object.entries(KINDS).flatMap(([kind, all]) =>
    Object.entries(all).flatMap(([op, { args, result }]) => [
      [`${kind}.${op}.args`, schemaOf(args, 'output')],
      [`${kind}.${op}.result`, schemaOf(result, 'input')],
    ]),
  )
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `kop-conformance/driver-protocol-${PROTOCOL_VERSION}`,
    title: 'A line of the driver protocol',
    anyOf: Object.keys(lines).map((name) => ({ $ref: `#/$defs/${name}` })),
    $defs: Object.fromEntries([
      ...Object.entries(lines).map(([name, shape]) => [name, schemaOf(shape, 'input')]),
      ...ops,
    ]),
  }
}

function schemaOf(shape: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(shape, { target: 'draft-2020-12', io })
  return schema
}
