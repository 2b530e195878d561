import type { Access } from './types.js'

/** Shorter ones are no secrets, and would take common words out of a report. */
const CHARACTERS_MIN = 4

/** The same value with the credentials of `access` blackened in all its texts: for logs and reports. */
export function withoutSecrets<Value>(value: Value, access: Access | undefined): Value {
  const secrets = secretsOf(access)
  if (secrets.length === 0) return value
  const asJson = (text: string) => JSON.stringify(text).slice(1, -1)
  const text = secrets.reduce(
    (rest, secret) => rest.replaceAll(asJson(secret), '***'),
    JSON.stringify(value) ?? 'null',
  )
  return JSON.parse(text) as Value
}

function secretsOf(access: Access | undefined): string[] {
  const sasl = access?.kafka?.sasl
  const ofKafka = sasl === undefined ? undefined : 'token' in sasl ? sasl.token : sasl.password
  const all = [ofKafka, access?.pulsar?.token, access?.admin?.token]
  return all.filter((secret) => secret !== undefined && secret.length >= CHARACTERS_MIN) as string[]
}
