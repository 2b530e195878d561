import { Unsupported } from '../matrix/driver/errors.js'
import type { KafkaSecurity, PulsarSecurity } from '../matrix/driver/messages.js'
import type { Endpoints } from '../matrix/targets/types.js'

export type { KafkaSecurity, PulsarSecurity } from '../matrix/driver/messages.js'

/*
 * Which of a target's addresses a client of some credentials talks to. Where a target has one address for all, that is
 * the one: its listener then asks for what it asks for.
 */

/** @throws Unsupported when the target has no such address */
export function kafkaAddress(endpoints: Endpoints, { caPath, sasl }: KafkaSecurity): string {
  const { kafka, kafkaSasl, kafkaTls, kafkaSaslTls } = endpoints
  const withTls = sasl === undefined ? kafkaTls : (kafkaSaslTls ?? kafkaTls)
  const address = caPath === undefined ? (sasl === undefined ? kafka : (kafkaSasl ?? kafka)) : withTls
  return address ?? missing(caPath === undefined ? 'a Kafka address' : 'a Kafka address with TLS')
}

/** @throws Unsupported */
export function pulsarAddress({ pulsar, pulsarTls }: Endpoints, { caPath }: PulsarSecurity): string {
  if (caPath === undefined) return pulsar ?? missing('a Pulsar address')
  return pulsarTls ?? missing('a Pulsar address with TLS')
}

/** @throws Unsupported */
export function adminAddress({ admin, adminTls }: Endpoints, { caPath }: PulsarSecurity): string {
  if (caPath === undefined) return admin ?? missing('an admin address')
  return adminTls ?? missing('an admin address with TLS')
}

function missing(what: string): never {
  throw new Unsupported(`the target has no address of this sort: ${what}`)
}
