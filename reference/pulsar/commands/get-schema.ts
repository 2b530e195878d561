import { type Failure, fail, isFailure } from '../failure.js'
import { type StoredSchema, versionBytes } from '../schemas.js'
import type { PulsarService } from '../service.js'
import type { Handler } from '../session.js'
import { ServerError } from '../wire/commands.js'

/** GET_SCHEMA: of one version, or the newest. */
export const getSchema: Handler<'GET_SCHEMA'> = async (session, body) => {
  const { requestId } = body
  const found = await find(session.service, body.topic, body.schemaVersion)
  if (isFailure(found))
    session.send('GET_SCHEMA_RESPONSE', {
      requestId,
      errorCode: ServerError[found.failed],
      errorMessage: found.message,
    })
  else
    session.send('GET_SCHEMA_RESPONSE', {
      requestId,
      schema: found.schema,
      schemaVersion: versionBytes(found.version),
    })
}

async function find(
  service: PulsarService,
  text: string,
  version: Buffer | undefined,
): Promise<StoredSchema | Failure> {
  const name = service.parse(text)
  if (isFailure(name)) return name
  const { catalog } = service.context
  const resolved = service.resolve(name)
  const topic = resolved !== undefined && 'info' in resolved ? resolved.info : catalog.find(name.literal)
  if (topic === undefined) return fail('TopicNotFound', `Topic ${text} does not exist`)
  const wanted = version !== undefined && version.length === 8 ? Number(version.readBigInt64BE(0)) : undefined
  const found = await service.schemas.find(topic, wanted)
  return found ?? fail('TopicNotFound', 'Topic not found or no-schema')
}
