import type { Clock } from '../base/clock.js'
import { type Config, ConfigError } from '../config.js'
import type { MetadataStore } from '../storage/types.js'
import { PermissionAuthorizer, type PermissionSource } from './authorizer.js'
import type { SaslMechanism, SaslParts } from './sasl.js'
import { ScramUsers } from './scram-users.js'
import { readTlsKeys, type TlsKeys } from './tls.js'
import { publicTokenKey, secretTokenKey, type TokenKey, TokenVerifier } from './tokens.js'
import type { Authorizer } from './types.js'

/** Who may come in, and what they may do: one a broker. */
export interface Security extends SaslParts {
  /** All ports want to know who their clients are. */
  readonly isAuthenticated: boolean
  /** null: whoever was let in may do all. */
  readonly authorizer: Authorizer | null
  readonly mechanisms: readonly SaslMechanism[]
  /** 0: sessions last as long as their credential. */
  readonly sessionMsMax: number
  readonly refusalDelayMs: number
  /** undefined: nothing speaks TLS. */
  readonly tls: TlsKeys | undefined
}

export interface OpenSecurityOptions {
  readonly config: Config
  readonly keys: SecurityKeys
  readonly clock: Clock
  readonly metadata: MetadataStore
  readonly namespaces: PermissionSource & SaslParts['namespaces']
}

/** What the settings' files and data URLs hold. */
export interface SecurityKeys {
  readonly tokens: readonly TokenKey[]
  readonly tls: TlsKeys | undefined
}

/** @throws ConfigError for keys and certificates that are none; it names the setting, never what it holds. */
export const readSecurityKeys = (config: Config): SecurityKeys => ({
  tokens: tokenKeys(config),
  tls: tlsKeys(config),
})

export async function openSecurity(options: OpenSecurityOptions): Promise<Security> {
  const { config, keys, clock, metadata, namespaces } = options
  return {
    isAuthenticated: config.authenticationEnabled,
    authorizer: config.authorizationEnabled
      ? new PermissionAuthorizer(config.superUserRoles, namespaces)
      : null,
    tokens: new TokenVerifier(keys.tokens, config.tokenAuthClaim, clock),
    users: await ScramUsers.open(metadata),
    namespaces,
    mechanisms: config.saslAllowedMechanisms,
    sessionMsMax: config.connectionsMaxReauthMs,
    refusalDelayMs: config.connectionFailedAuthenticationDelayMs,
    tls: keys.tls,
  }
}

function tokenKeys({ tokenSecretKey, tokenPublicKey }: Config): readonly TokenKey[] {
  return [
    ...(tokenSecretKey === undefined ? [] : [named('tokenSecretKey', () => secretTokenKey(tokenSecretKey))]),
    ...(tokenPublicKey === undefined ? [] : [named('tokenPublicKey', () => publicTokenKey(tokenPublicKey))]),
  ]
}

function tlsKeys(config: Config): TlsKeys | undefined {
  const { tlsCertificateFilePath: certificate, tlsKeyFilePath: key } = config
  if (certificate === undefined || key === undefined) return undefined
  const files = {
    certificate,
    key,
    trustCertificates: config.tlsTrustCertsFilePath,
    requiresClientCertificate: config.tlsRequireTrustedClientCertOnConnect,
  }
  return named('tlsCertificateFilePath', () => readTlsKeys(files))
}

function named<T>(setting: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new ConfigError(`${setting}: ${error instanceof Error ? error.message : 'cannot be used'}`)
  }
}
