import type { FastifyInstance } from 'fastify'
import type { TopicInfo } from '../../topics/types.js'
import { isFailure } from '../failure.js'
import type { StoredSchema } from '../schemas.js'
import type { PulsarService } from '../service.js'
import { AdminError, jsonBody } from './errors.js'
import { nameOf, parsed, type TopicRoute } from './resolve.js'

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
    shown(await service.schemas.find(owner(service, params))),
  )

  app.get<TopicRoute & { Params: { version: string } }>(`${path}/schema/:version`, async ({ params }) =>
    shown(await service.schemas.find(owner(service, params), Number(params.version))),
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
    const version = await service.schemas.getOrCreate(owner(service, params), {
      name: params.topic,
      type,
      schemaData: Buffer.from(String(json.schema)),
      properties: properties.map(([key, value]) => ({ key, value: String(value) })),
    })
    if (typeof version === 'object' && isFailure(version)) throw new AdminError(409, version.message)
    return { version }
  })

  app.delete<TopicRoute>(`${path}/schema`, async ({ params }) => {
    const topic = owner(service, params)
    const latest = await service.schemas.find(topic)
    await service.schemas.delete(topic)
    return { version: latest?.version ?? -1 }
  })
}

/** A schema is the topic's, whichever of its partitions is named. */
function owner(service: PulsarService, params: TopicRoute['Params']): TopicInfo {
  const { base, literal } = parsed(service, params)
  const info = service.context.catalog.find(literal) ?? service.context.catalog.find(base)
  if (info === undefined) throw new AdminError(404, `Topic ${nameOf(params)} not found`)
  return info
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
