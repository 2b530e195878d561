const HOUR_MS = 3_600_000

/** The promisified API's settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`), and librdkafka's beside them. */
export function securitySettings({ caPath, sasl } = {}) {
  return {
    kafkaJS: {
      ...(caPath === undefined ? {} : { ssl: true }),
      ...(sasl === undefined ? {} : { sasl: saslSettings(sasl) }),
    },
    librdkafka: caPath === undefined ? {} : { 'ssl.ca.location': caPath },
  }
}

function saslSettings({ mechanism, username, password, token, extensions = {} }) {
  if (mechanism !== 'OAUTHBEARER') return { mechanism: mechanism.toLowerCase(), username, password }
  return {
    mechanism: 'oauthbearer',
    oauthBearerProvider: async () => ({
      value: token,
      principal: 'driver',
      lifetime: Date.now() + HOUR_MS,
      extensions,
    }),
  }
}
