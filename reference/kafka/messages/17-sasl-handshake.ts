import { api, array, int16, string } from '../wire/schema.js'

/** Agrees on a SASL mechanism. After v0 the tokens follow as bare frames, after v1 inside SaslAuthenticate (KIP-152). */
export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  request: { mechanism: string() },
  response: { errorCode: int16(), mechanisms: array(string()) },
})
