import { saslAuthenticate as table } from '../messages/36-sasl-authenticate.js'
import { errorCode } from '../wire/errors.js'
import { handler } from './handler.js'

/** SaslAuthenticate v0 to v2: one step of a log-in; the last tells how long the session lasts (KIP-368). */
export const saslAuthenticate = handler(table, async ({ authBytes }, { connection: { session } }) => {
  if (session === undefined)
    return {
      errorCode: errorCode('ILLEGAL_SASL_STATE'),
      errorMessage: 'this listener asks for no authentication',
      authBytes: Buffer.alloc(0),
    }
  const { error, message, bytes, lifetimeMs } = await session.authenticate(authBytes)
  return {
    errorCode: errorCode(error),
    errorMessage: message,
    authBytes: bytes,
    sessionLifetimeMs: BigInt(lifetimeMs),
  }
})
