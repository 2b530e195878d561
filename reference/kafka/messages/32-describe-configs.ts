import { api, array, bool, int8, int16, int32, string } from '../wire/schema.js'

/** Configs of topics (resource type 2) and brokers (4). v1: where a value comes from (KIP-226); v3: types and help (KIP-569). */
export const describeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [0, 4],
  flexibleSince: 4,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configurationKeys: array(string(), { nullable: 0 }),
    }),
    includeSynonyms: bool({ since: 1 }),
    includeDocumentation: bool({ since: 3 }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string({ nullable: 0 }),
        readOnly: bool(),
        isDefault: bool({ until: 0 }),
        configSource: int8({ since: 1, default: -1 }),
        isSensitive: bool(),
        synonyms: array({ name: string(), value: string({ nullable: 0 }), source: int8() }, { since: 1 }),
        configType: int8({ since: 3 }),
        documentation: string({ since: 3, nullable: 3, default: null }),
      }),
    }),
  },
})
