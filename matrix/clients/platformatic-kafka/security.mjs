import { readFileSync } from 'node:fs'
import { Unsupported } from '../lib/driver.mjs'

/**
 * The library's settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`).
 * @param hasExtensions whether this version sends SASL extensions with a token
 */
export function securitySettings({ caPath, sasl } = {}, hasExtensions) {
  return {
    ...(caPath === undefined ? {} : { tls: { ca: [readFileSync(caPath, 'utf8')] } }),
    ...(sasl === undefined ? {} : { sasl: saslSettings(sasl, hasExtensions) }),
  }
}

function saslSettings({ mechanism, username, password, token, extensions = {} }, hasExtensions) {
  if (mechanism !== 'OAUTHBEARER') return { mechanism, username, password }
  if (Object.keys(extensions).length === 0) return { mechanism, token }
  if (!hasExtensions)
    throw new Unsupported('this version of @platformatic/kafka sends no SASL extensions with a token')
  return { mechanism, token, oauthBearerExtensions: extensions }
}
