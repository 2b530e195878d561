import { saslHandshake as table } from '../messages/17-sasl-handshake.js'
import { errorCode } from '../wire/errors.js'
import { handler } from './handler.js'

/** SaslHandshake v0 and v1. On a listener that asks for no log-in, and after one: ILLEGAL_SASL_STATE, as in Kafka. */
export const saslHandshake = handler(
  table,
  async ({ mechanism }, { connection: { session }, apiVersion }) => ({
    errorCode: errorCode(session?.handshake(mechanism, apiVersion) ?? 'ILLEGAL_SASL_STATE'),
    mechanisms: session?.mechanisms ?? [],
  }),
)
