import { api, bytes, int16, int64, string } from '../wire/schema.js'

/** One step of a SASL exchange (KIP-152). v1: how long the session lasts (KIP-368). */
export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleSince: 2,
  request: { authBytes: bytes() },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: 0 }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ since: 1 }),
  },
})
