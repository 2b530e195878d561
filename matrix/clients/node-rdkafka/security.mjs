import { Unsupported } from '../lib/driver.mjs'

/**
 * librdkafka's settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`), and the token that a client is
 * given before it connects.
 */
export function securitySettings({ caPath, sasl } = {}) {
  const tls = caPath === undefined ? {} : { 'ssl.ca.location': caPath }
  if (sasl === undefined)
    return { settings: caPath === undefined ? {} : { 'security.protocol': 'ssl', ...tls }, token: null }
  const settings = {
    'security.protocol': caPath === undefined ? 'sasl_plaintext' : 'sasl_ssl',
    'sasl.mechanism': sasl.mechanism,
    ...tls,
  }
  if (sasl.mechanism === 'OAUTHBEARER') {
    if (Object.keys(sasl.extensions ?? {}).length > 0)
      throw new Unsupported('node-rdkafka sends no SASL extensions with a token')
    return { settings, token: sasl.token }
  }
  return {
    settings: { ...settings, 'sasl.username': sasl.username, 'sasl.password': sasl.password },
    token: null,
  }
}
