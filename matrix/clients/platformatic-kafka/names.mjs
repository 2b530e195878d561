// The protocol's names of the errors of @platformatic/kafka: trees of errors whose leaves know their `apiId`.
import { DriverError, Unsupported } from '../lib/driver.mjs'

/** How the library names what the broker says of a single record. */
const UNSPECIFIC = 'UNKNOWN_SERVER_ERROR'
const NAMES = {
  PLT_KFK_AUTHENTICATION: 'SASL_AUTHENTICATION_FAILED',
  PLT_KFK_TIMEOUT: 'TIMEOUT',
}

/** Every error in the tree, the outermost first. */
function* all(error) {
  if (error === null || typeof error !== 'object') return
  yield error
  for (const inner of error.errors ?? []) yield* all(inner)
  yield* all(error.cause)
}

export function nameOf(error) {
  if (error instanceof DriverError) return error.name
  const errors = [...all(error)]
  const told =
    errors.find(({ apiId }) => typeof apiId === 'string' && apiId !== UNSPECIFIC) ??
    errors.find(({ apiId }) => apiId === UNSPECIFIC)
  if (told) return told.apiId
  // The library turns this one error of metadata into a text.
  if (errors.some(({ message }) => /^Unknown topic |^Specified partition\(s\) not found/.test(message)))
    return 'UNKNOWN_TOPIC_OR_PARTITION'
  const known = errors.find(({ code }) => NAMES[code] !== undefined)
  if (known) return NAMES[known.code]
  if (errors.some(({ message }) => /timed out/i.test(message))) return 'TIMEOUT'
  return error?.code ?? error?.name ?? 'Error'
}

/** @throws Unsupported in place of what the library says that it cannot do here */
export function refusedByLibrary(error) {
  for (const { code, message } of all(error)) {
    if (code === 'PLT_KFK_UNSUPPORTED_COMPRESSION') throw new Unsupported(`@platformatic/kafka: ${message}`)
  }
  return error
}
