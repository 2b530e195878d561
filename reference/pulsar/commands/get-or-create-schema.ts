import { isFailure } from '../failure.js'
import { versionBytes } from '../schemas.js'
import type { Handler } from '../session.js'
import { ServerError } from '../wire/commands.js'

/** GET_OR_CREATE_SCHEMA: registers a schema that a producer meets on its way, or finds its version. */
export const getOrCreateSchema: Handler<'GET_OR_CREATE_SCHEMA'> = async (session, body) => {
  const { requestId } = body
  const topic = await session.service.open(body.topic, { create: false })
  const version = isFailure(topic)
    ? topic
    : await session.service.schemas.getOrCreate(topic.info, body.schema)
  if (typeof version === 'number')
    session.send('GET_OR_CREATE_SCHEMA_RESPONSE', { requestId, schemaVersion: versionBytes(version) })
  else
    session.send('GET_OR_CREATE_SCHEMA_RESPONSE', {
      requestId,
      errorCode: ServerError[version.failed],
      errorMessage: version.message,
    })
}
