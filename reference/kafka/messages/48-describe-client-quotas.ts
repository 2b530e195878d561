import { api, array, bool, float64, int8, int16, int32, string } from '../wire/schema.js'

/** Limits on what clients may use (KIP-546). A component matches a name (0), the default (1), or any that is set (2). */
export const describeClientQuotas = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    components: array({ entityType: string(), matchType: int8(), match: string({ nullable: 0 }) }),
    strict: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: 0 }),
    entries: array(
      {
        entity: array({ entityType: string(), entityName: string({ nullable: 0 }) }),
        values: array({ key: string(), value: float64() }),
      },
      { nullable: 0 },
    ),
  },
})
