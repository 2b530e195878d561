import { describeUserScramCredentials as table } from '../messages/50-describe-user-scram-credentials.js'
import { errorCode } from '../wire/errors.js'
import type { ResponseOf } from '../wire/schema.js'
import { handler } from './handler.js'
import { scramTypes } from './scram-types.js'

type Result = ResponseOf<typeof table>['results'][number]

/** DescribeUserScramCredentials v0, for super users. */
export const describeUserScramCredentials = handler(table, async ({ users: asked }, { broker, access }) => {
  if (!access.isSuperUser())
    return {
      throttleTimeMs: 0,
      errorCode: errorCode('CLUSTER_AUTHORIZATION_FAILED'),
      errorMessage: 'only super users may see who has passwords',
      results: [],
    }
  const names = asked === null || asked.length === 0 ? broker.users.names() : asked.map(({ name }) => name)
  const results = [...new Set(names)].map((user): Result => {
    const credentialInfos = broker.users
      .mechanismsOf(user)
      .map(({ mechanism, iterations }) => ({ mechanism: scramTypes.indexOf(mechanism), iterations }))
    if (names.indexOf(user) !== names.lastIndexOf(user))
      return failed(user, 'DUPLICATE_RESOURCE', 'the request names this user twice')
    if (credentialInfos.length === 0) return failed(user, 'RESOURCE_NOT_FOUND', 'this user has no password')
    return { user, errorCode: 0, errorMessage: null, credentialInfos }
  })
  return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, results }
})

const failed = (
  user: string,
  error: 'DUPLICATE_RESOURCE' | 'RESOURCE_NOT_FOUND',
  errorMessage: string,
): Result => ({ user, errorCode: errorCode(error), errorMessage, credentialInfos: [] })
