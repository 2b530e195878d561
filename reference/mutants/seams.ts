import type { PartReplacements } from '../broker.js'
import type { DecodedRequest } from '../kafka/wire/frames.js'
import type { Api, RequestOf, ResponseOf } from '../kafka/wire/schema.js'
import { isRefusal, type PartitionLog, type TopicCatalog } from '../topics/types.js'

/** What a variant does in place of some of an object's methods. */
export type Changes<T> = Partial<T>

/** The object with some methods put in place of its own. Objects with private fields must be called as themselves. */
export function changed<T extends object>(target: T, changes: Changes<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Changes the partitions' logs as Kafka's handlers see them. */
export const kafkaLogs = (change: (log: PartitionLog) => Changes<PartitionLog>): PartReplacements => ({
  kafkaTopics: (catalog) => withLogs(catalog, change),
})

/** Changes the partitions' logs as Pulsar's commands see them. */
export const pulsarLogs = (change: (log: PartitionLog) => Changes<PartitionLog>): PartReplacements => ({
  pulsarTopics: (catalog) => withLogs(catalog, change),
})

/** Whoever asks twice for one partition gets the same object, as from the catalog itself. */
function withLogs(catalog: TopicCatalog, change: (log: PartitionLog) => Changes<PartitionLog>): TopicCatalog {
  const known = new WeakMap<PartitionLog, PartitionLog>()
  return changed(catalog, {
    async partition(topic, index) {
      const log = await catalog.partition(topic, index)
      if (isRefusal(log)) return log
      const wrapped = known.get(log) ?? changed(log, change(log))
      known.set(log, wrapped)
      return wrapped
    },
  })
}

/** Changes the topics as Kafka's handlers see them. */
export const kafkaCatalog = (change: (catalog: TopicCatalog) => Changes<TopicCatalog>): PartReplacements => ({
  kafkaTopics: (catalog) => changed(catalog, change(catalog)),
})

/** Changes the topics as Pulsar's commands see them. */
export const pulsarCatalog = (
  change: (catalog: TopicCatalog) => Changes<TopicCatalog>,
): PartReplacements => ({
  pulsarTopics: (catalog) => changed(catalog, change(catalog)),
})

export interface Answering<A extends Api> {
  readonly request: RequestOf<A>
  readonly apiVersion: number
  /** The right broker's answer to this request, or to another one in its place. */
  answer(request?: RequestOf<A>): Promise<ResponseOf<A> | null>
}

/** Changes how one Kafka API is answered. */
export const answersOf = <A extends Api>(
  api: A,
  change: (answering: Answering<A>) => Promise<ResponseOf<A> | null>,
): PartReplacements => ({
  kafkaDispatch: (dispatch) => async (decoded, connection) => {
    if (decoded.api.key !== api.key) return dispatch(decoded, connection)
    const request = decoded.body as RequestOf<A>
    const answer = (other?: RequestOf<A>) => {
      const asked: DecodedRequest = { ...decoded, body: other ?? decoded.body }
      return dispatch(asked, connection) as Promise<ResponseOf<A> | null>
    }
    return change({ request, apiVersion: decoded.apiVersion, answer })
  },
})

/** Changes what the right broker answers to one Kafka API; requests without an answer stay without. */
export const answered = <A extends Api>(
  api: A,
  change: (response: ResponseOf<A>, request: RequestOf<A>, apiVersion: number) => ResponseOf<A>,
): PartReplacements =>
  answersOf(api, async ({ request, apiVersion, answer }) => {
    const response = await answer()
    return response === null ? null : change(response, request, apiVersion)
  })
