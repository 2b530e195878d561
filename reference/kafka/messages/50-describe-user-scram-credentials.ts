import { api, array, int8, int16, int32, string } from '../wire/schema.js'

/** Which users have passwords, for which mechanisms (KIP-554); of the passwords nothing. Null users: all. */
export const describeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexibleSince: 0,
  request: { users: array({ name: string() }, { nullable: 0 }) },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: 0 }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      credentialInfos: array({ mechanism: int8(), iterations: int32() }),
    }),
  },
})
