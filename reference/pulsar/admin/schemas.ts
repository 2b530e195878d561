import type { FastifyInstance } from 'fastify'
import { isFailure } from '../failure.js'
import type { StoredSchema } from '../schemas.js'
import type { PulsarService } from '../service.js'
import type { SchemaData } from '../wire/commands.js'
import { AdminError, objectBody, textsOf } from './errors.js'
import { owner, type TopicRoute, wholeOf } from './resolve.js'
import { needs } from './rights.js'
import { schemaType, schemaTypeName } from './schema-types.js'

/** /admin/v2/schemas. A schema is the topic's, whichever of its partitions is named. */
export function schemas(app: FastifyInstance, service: PulsarService): void {
  const path = '/admin/v2/schemas/:tenant/:namespace/:topic'
  const read = needs('topic-any')

  app.get<TopicRoute>(`${path}/schema`, read, async ({ params }) =>
    shown(existingSchema(await service.schemas.find(owner(service, params)))),
  )

  app.get<TopicRoute & { Params: { version: string } }>(
    `${path}/schema/:version`,
    read,
    async ({ params }) => {
      const version = wholeOf(params.version, 'The version', 0)
      return shown(existingSchema(await service.schemas.find(owner(service, params), version)))
    },
  )

  app.get<TopicRoute>(`${path}/schemas`, read, async ({ params }) => ({
    getSchemaResponses: (await service.schemas.all(owner(service, params))).map(shown),
  }))

  app.post<TopicRoute>(`${path}/schema`, needs('topic-produce'), async ({ params, body }) => {
    const schema = schemaOf(params.topic, body)
    const version = await service.schemas.getOrCreate(owner(service, params), schema)
    if (typeof version === 'object' && isFailure(version)) throw new AdminError(409, version.message)
    return { version: { version } }
  })

  app.delete<TopicRoute>(`${path}/schema`, needs('tenant-admin'), async ({ params }) => {
    const topic = owner(service, params)
    const latest = await service.schemas.find(topic)
    await service.schemas.delete(topic)
    return { version: latest?.version ?? -1 }
  })

  /** By the rule that the registry keeps: a schema of the same type, whatever it says. */
  app.post<TopicRoute>(`${path}/compatibility`, read, async ({ params, body }) => {
    const { type } = schemaOf(params.topic, body)
    const latest = await service.schemas.find(owner(service, params))
    return {
      compatibility: latest === undefined || latest.schema.type === type,
      schemaCompatibilityStrategy: 'ALWAYS_COMPATIBLE',
    }
  })

  /** −1: the topic has no such schema. */
  app.post<TopicRoute>(`${path}/version`, read, async ({ params, body }) => {
    const { type, schemaData } = schemaOf(params.topic, body)
    const same = (await service.schemas.all(owner(service, params))).find(
      ({ schema }) => schema.type === type && schema.schemaData.equals(schemaData),
    )
    return { version: same?.version ?? -1 }
  })
}

/** @throws AdminError for what is no schema. */
function schemaOf(name: string, body: unknown): SchemaData {
  const json = objectBody(body)
  if (json === undefined || !('type' in json) || !('schema' in json))
    throw new AdminError(422, 'A schema needs type and schema')
  const type = schemaType(String(json.type))
  if (type === undefined) throw new AdminError(422, `Unknown schema type ${json.type}`)
  const properties = Object.entries(textsOf(json.properties)).map(([key, value]) => ({ key, value }))
  return { name, type, schemaData: Buffer.from(String(json.schema)), properties }
}

function existingSchema(stored: StoredSchema | undefined): StoredSchema {
  if (stored === undefined) throw new AdminError(404, 'Schema not found')
  return stored
}

const shown = ({ version, timestampMs, schema }: StoredSchema) => ({
  version,
  type: schemaTypeName(schema.type),
  timestamp: timestampMs,
  data: schema.schemaData.toString('utf8'),
  properties: Object.fromEntries((schema.properties ?? []).map(({ key, value }) => [key, value])),
})
