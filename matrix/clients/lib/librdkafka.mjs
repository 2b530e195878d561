// The protocol's names of librdkafka's error codes, for drivers of the libraries that stand on it.
// @ts-check

export const AUTHENTICATION = -169
const TRANSPORT = -195

/** Where the protocol's name is another than librdkafka's own. @type {Record<number, string>} */
const NAMES = {
  [-1]: 'UNKNOWN_SERVER_ERROR',
  2: 'CORRUPT_MESSAGE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  4: 'INVALID_FETCH_SIZE',
  6: 'NOT_LEADER_OR_FOLLOWER',
  10: 'MESSAGE_TOO_LARGE',
  14: 'COORDINATOR_LOAD_IN_PROGRESS',
  15: 'COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  36: 'TOPIC_ALREADY_EXISTS',
  [-185]: 'TIMEOUT',
  [-192]: 'TIMEOUT',
  [-166]: 'TIMEOUT',
  [-188]: 'UNKNOWN_TOPIC_OR_PARTITION',
  [-190]: 'UNKNOWN_TOPIC_OR_PARTITION',
  [-140]: 'OFFSET_OUT_OF_RANGE',
  [AUTHENTICATION]: 'SASL_AUTHENTICATION_FAILED',
  [-144]: 'PRODUCER_FENCED',
}

/** How librdkafka fails when it cannot reach any broker. */
export const UNREACHABLE = ['TIMEOUT', '_TRANSPORT', '_ALL_BROKERS_DOWN']

/**
 * Whether this librdkafka has the newer group protocol (KIP-848) as more than a preview, which newer brokers do not serve.
 * @param {string} librdkafkaVersion
 */
export function hasNewerProtocol(librdkafkaVersion) {
  const [major = 0, minor = 0] = librdkafkaVersion.split('.').map(Number)
  return major > 2 || (major === 2 && minor >= 12)
}

/**
 * A connection that ends during the handshake librdkafka tells by the code of a refusal, and connects anew.
 * @param {number} code @param {string} message
 */
export function meantBy(code, message) {
  return code === AUTHENTICATION && message?.includes('Local: Broker transport failure') ? TRANSPORT : code
}

/** Why a member cannot go on: other errors librdkafka gets over by itself. */
export const FAILURES =
  /AUTHORIZATION_FAILED$|^SASL_AUTHENTICATION_FAILED$|FENCED|^UNRELEASED_INSTANCE_ID$|^GROUP_MAX_SIZE|^_FATAL$/

/** @param {number} code @param {Record<string, number>} codes the library's own, by names that begin with `ERR_` */
export function nameOfCode(code, codes) {
  const name = NAMES[code]
  if (name !== undefined) return name
  const [known] = Object.entries(codes).find(([, value]) => value === code) ?? []
  return known === undefined ? `CODE_${code}` : known.replace(/^ERR_/, '')
}
