import type { FastifyInstance } from 'fastify'
import { isFailure } from '../failure.js'
import type { StoredSchema } from '../schemas.js'
import type { PulsarService } from '../service.js'
import { AdminError, jsonBody } from './errors.js'
import { parsed, type TopicRoute } from './resolve.js'

/** Pulsar's names of schema types, by their number. */
const TYPE_NAMES = [
  'NONE',
  'STRING',
  'JSON',
  'PROTOBUF',
  'AVRO',
  'BOOLEAN',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FLOAT',
  'DOUBLE',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'KEY_VALUE',
  'INSTANT',
  'LOCAL_DATE',
  'LOCAL_TIME',
  'LOCAL_DATE_TIME',
  'PROTOBUF_NATIVE',
]

/** /admin/v2/schemas */
export function schemas(app: FastifyInstance, service: PulsarService): void {
  const path = '/admin/v2/schemas/:tenant/:namespace/:topic'

  app.get<TopicRoute>(`${path}/schema`, async ({ params }) =>
    shown(await service.schemas.find(parsed(service, params).base)),
  )

  app.get<TopicRoute & { Params: { version: string } }>(`${path}/schema/:version`, async ({ params }) =>
    shown(await service.schemas.find(parsed(service, params).base, Number(params.version))),
  )

  app.post<TopicRoute>(`${path}/schema`, async ({ params, body }) => {
    const json = jsonBody(body)
    if (typeof json !== 'object' || json === null || !('type' in json) || !('schema' in json))
      throw new AdminError(422, 'A schema needs type and schema')
    const type = TYPE_NAMES.indexOf(String(json.type))
    if (type < 0) throw new AdminError(422, `Unknown schema type ${json.type}`)
    const properties = Object.entries(
      'properties' in json && typeof json.properties === 'object' ? (json.properties ?? {}) : {},
    )
    const version = await service.schemas.getOrCreate(parsed(service, params).base, {
      name: params.topic,
      type,
      schemaData: Buffer.from(String(json.schema)),
      properties: properties.map(([key, value]) => ({ key, value: String(value) })),
    })
    if (typeof version === 'object' && isFailure(version)) throw new AdminError(409, version.message)
    return { version }
  })

  app.delete<TopicRoute>(`${path}/schema`, async ({ params }) => {
    const { base } = parsed(service, params)
    const latest = await service.schemas.find(base)
    await service.schemas.delete(base)
    return { version: latest?.version ?? -1 }
  })
}

function shown(stored: StoredSchema | undefined): object {
  if (stored === undefined) throw new AdminError(404, 'Schema not found')
  const { version, timestampMs, schema } = stored
  return {
    version,
    type: TYPE_NAMES[schema.type] ?? String(schema.type),
    timestamp: timestampMs,
    data: schema.schemaData.toString('utf8'),
    properties: Object.fromEntries((schema.properties ?? []).map(({ key, value }) => [key, value])),
  }
}
