import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { cacheFolder } from '../clients/paths.js'
import type { TargetYaml } from './target-yaml.js'
import type { Access, Endpoints } from './types.js'

/** A running system: its addresses, what clients show there, and by which name each address was given. */
export interface Reached {
  readonly endpoints: Endpoints
  readonly access: Access
  /** `--kafka`, or `addresses.kafkaTls of target.yaml`. */
  readonly named: { readonly kafka?: string; readonly pulsar?: string; readonly admin?: string }
}

type Name = keyof Endpoints

/**
 * Chooses the first address of each protocol, which all scenarios use that bring no credentials: with a log-in where
 * there are credentials to show, and rather over TLS.
 *
 * @param given by options, which win over the file
 */
export function reachedBy(given: Endpoints, file: string | null, yaml: TargetYaml | null): Reached {
  const addresses = { ...yaml?.addresses, ...given }
  const { kafka: sasl, pulsar: token, admin: adminToken = token } = yaml?.credentials ?? {}
  const firstOf = (names: readonly Name[]) =>
    names.find((name) => given[name] !== undefined) ?? names.find((name) => addresses[name] !== undefined)
  const kafka = firstOf(sasl === undefined ? ['kafka', 'kafkaTls'] : ['kafkaSaslTls', 'kafkaSasl', 'kafka'])
  const pulsar = firstOf(token === undefined ? ['pulsar', 'pulsarTls'] : ['pulsarTls', 'pulsar'])
  const admin = firstOf(adminToken === undefined ? ['admin', 'adminTls'] : ['adminTls', 'admin'])
  const told = (name: Name | undefined, option: 'kafka' | 'pulsar' | 'admin') =>
    name === undefined
      ? {}
      : { [option]: given[name] === undefined ? `addresses.${name} of ${file}` : `--${option}` }
  const withTls = (name: Name | undefined) =>
    name?.endsWith('Tls') ? { caPath: yaml?.tls?.caFile ?? authoritiesFile() } : {}
  return {
    endpoints: {
      ...addresses,
      ...(kafka !== undefined && { kafka: addresses[kafka] }),
      ...(pulsar !== undefined && { pulsar: addresses[pulsar] }),
      ...(admin !== undefined && { admin: addresses[admin]?.replace(/\/$/, '') }),
    } as Endpoints,
    access: {
      kafka: { ...withTls(kafka), ...(sasl !== undefined && { sasl }) },
      pulsar: { ...withTls(pulsar), ...token },
      admin: { ...withTls(admin), ...adminToken },
    },
    named: { ...told(kafka, 'kafka'), ...told(pulsar, 'pulsar'), ...told(admin, 'admin') },
  }
}

/** The authorities that everybody trusts, as a file: what a certificate is signed by when the target names nobody. */
function authoritiesFile(): string {
  const file = join(cacheFolder(), 'authorities.pem')
  mkdirSync(cacheFolder(), { recursive: true })
  writeFileSync(file, rootCertificates.join('\n'))
  return file
}
