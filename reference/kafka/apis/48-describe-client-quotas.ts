import { describeClientQuotas as table } from '../messages/48-describe-client-quotas.js'
import { errorCode } from '../wire/errors.js'
import { handler } from './handler.js'

/**
 * DescribeClientQuotas v0 and v1, for super users: this broker has no quotas, so that there are none to tell. It is here for
 * `kafka-configs --describe --entity-type users`, which asks for them beside passwords. Left out: setting any (key 49).
 */
export const describeClientQuotas = handler(table, async (_request, { access }) =>
  access.isSuperUser()
    ? { throttleTimeMs: 0, errorCode: 0, errorMessage: null, entries: [] }
    : {
        throttleTimeMs: 0,
        errorCode: errorCode('CLUSTER_AUTHORIZATION_FAILED'),
        errorMessage: 'quotas are for super users',
        entries: null,
      },
)
