import type { Handler } from '../session.js'
import { PROTOCOL_VERSION } from '../wire/commands.js'

/** CONNECT: the hand-shake. Credentials are not looked at yet: authentication comes with the security part. */
export const connect: Handler<'CONNECT'> = (session, body) => {
  const protocolVersion = Math.min(body.protocolVersion ?? 0, PROTOCOL_VERSION)
  session.client = { version: body.clientVersion, protocolVersion }
  session.readsBrokerEntryMetadata = body.featureFlags?.supportsBrokerEntryMetadata === true
  session.send('CONNECTED', {
    serverVersion: 'kop-conformance-reference',
    protocolVersion,
    maxMessageSize: session.service.context.config.maxMessageSize,
    featureFlags: { supportsGetPartitionedMetadataWithoutAutoCreation: true },
  })
}
