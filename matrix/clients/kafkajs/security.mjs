import { readFileSync } from 'node:fs'

/** kafkajs's own settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`). */
export function securitySettings({ caPath, sasl } = {}) {
  return {
    ...(caPath === undefined ? {} : { ssl: { ca: [readFileSync(caPath, 'utf8')] } }),
    ...(sasl === undefined ? {} : { sasl: saslSettings(sasl) }),
  }
}

function saslSettings({ mechanism, username, password, token, extensions = {} }) {
  if (mechanism !== 'OAUTHBEARER') return { mechanism: mechanism.toLowerCase(), username, password }
  return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: token, extensions }) }
}
