import { apiVersions as table } from '../messages/18-api-versions.js'
import { errorCode } from '../wire/errors.js'
import { type Handler, handler } from './handler.js'

/** KIP-511: software names and versions are of these characters, and begin and end with a letter or digit. */
const softwareRule = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * ApiVersions v0 to v4: exactly what is registered, in the versions that work (register PH-3). A version too new for us is
 * answered by the connection in v0 form with UNSUPPORTED_VERSION (PH-4), for which `apiVersionsRefusal` is the body.
 * No features: there is no metadata version and no transaction protocol to negotiate.
 */
export const apiVersionsOf = (registered: () => Iterable<Pick<Handler, 'api' | 'versions'>>) =>
  handler(table, async (request, call) => {
    const named = call.apiVersion >= 3
    if (
      named &&
      !(softwareRule.test(request.clientSoftwareName) && softwareRule.test(request.clientSoftwareVersion))
    )
      return { errorCode: errorCode('INVALID_REQUEST'), apiKeys: [] }
    return { errorCode: 0, apiKeys: apiKeysOf(registered()) }
  })

/** What a client that speaks a newer ApiVersions is told: which versions of it, and of all else, there are. */
export const apiVersionsRefusal = (registered: Iterable<Pick<Handler, 'api' | 'versions'>>) => ({
  errorCode: errorCode('UNSUPPORTED_VERSION'),
  apiKeys: apiKeysOf(registered),
})

const apiKeysOf = (registered: Iterable<Pick<Handler, 'api' | 'versions'>>) =>
  [...registered]
    .map(({ api, versions }) => ({ apiKey: api.key, minVersion: versions[0], maxVersion: versions[1] }))
    .sort((a, b) => a.apiKey - b.apiKey)
