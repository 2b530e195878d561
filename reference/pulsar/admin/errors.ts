import { isRefusal, type Refusal } from '../../topics/types.js'

/** A refusal of the admin API: thrown by a route, answered as status and reason. */
export class AdminError extends Error {
  override readonly name = 'AdminError'
  readonly statusCode: number

  constructor(statusCode: number, reason: string) {
    super(reason)
    this.statusCode = statusCode
  }
}

/** @throws AdminError in place of a refusal. */
export function accepted<T extends object | true>(outcome: T | Refusal): T {
  if (outcome === true || !isRefusal(outcome)) return outcome as T
  if (outcome.refused === 'TOPIC_ALREADY_EXISTS') throw new AdminError(409, 'This topic already exists')
  if (outcome.refused === 'UNKNOWN_TOPIC_OR_PARTITION') throw new AdminError(404, outcome.message)
  if (outcome.refused === 'KAFKA_STORAGE_ERROR') throw new AdminError(500, outcome.message)
  throw new AdminError(412, outcome.message)
}

/** The request's body as JSON; undefined when it is empty. @throws AdminError */
export function jsonBody(body: unknown): unknown {
  if (typeof body !== 'string' || body.trim() === '') return undefined
  try {
    return JSON.parse(body)
  } catch {
    throw new AdminError(400, 'The body is not JSON')
  }
}

/** The body as a JSON object; undefined when it is empty or null. @throws AdminError */
export function objectBody(body: unknown): Readonly<Record<string, unknown>> | undefined {
  const json = jsonBody(body)
  if (json === undefined || json === null) return undefined
  if (!isObject(json)) throw new AdminError(400, 'The body is not a JSON object')
  return json
}

export const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** Names with texts, such as properties. @throws AdminError */
export function textsOf(json: unknown): Readonly<Record<string, string>> {
  if (json === undefined || json === null) return {}
  if (!isObject(json)) throw new AdminError(400, 'Properties are an object of texts')
  return Object.fromEntries(
    Object.entries(json).map(([key, text]) => {
      if (typeof text !== 'string') throw new AdminError(400, `The property ${key} is not a text`)
      return [key, text]
    }),
  )
}

/** A list of texts, such as roles. @throws AdminError */
export function textList(json: unknown, what: string): readonly string[] {
  if (!Array.isArray(json) || json.some((text) => typeof text !== 'string'))
    throw new AdminError(400, `${what} is not a list of texts`)
  return [...new Set<string>(json)]
}
