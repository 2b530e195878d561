import {
  credentialOf,
  hashBytes,
  type ScramMechanism,
  scramIterationsMax,
  scramIterationsMin,
} from '../../security/scram.js'
import type { ScramChange, ScramUsers } from '../../security/scram-users.js'
import { alterUserScramCredentials as table } from '../messages/51-alter-user-scram-credentials.js'
import { type ErrorName, errorCode } from '../wire/errors.js'
import type { RequestOf } from '../wire/schema.js'
import { storageFault } from './faults.js'
import { type Call, handler } from './handler.js'
import { scramTypes } from './scram-types.js'

type Request = RequestOf<typeof table>
type Upsertion = Request['upsertions'][number]
type Deletion = Request['deletions'][number]

interface Fault {
  readonly error: ErrorName
  readonly message: string
}
const fault = (error: ErrorName, message: string): Fault => ({ error, message })
const isFault = (value: ScramChange | readonly ScramChange[] | Fault): value is Fault => 'error' in value

/** AlterUserScramCredentials v0, for super users: all changes of a user, or none of them. */
export const alterUserScramCredentials = handler(table, async (request, call) => {
  const users = [...new Set([...request.deletions, ...request.upsertions].map(({ name }) => name))]
  const planned = users.map((user) => ({ user, changes: changesOf(user, request, call) }))
  const changes = planned.flatMap((plan) => (isFault(plan.changes) ? [] : plan.changes))
  const failure = await store(changes, call)
  return {
    throttleTimeMs: 0,
    results: planned.map(({ user, changes: planOf }) => {
      const wrong = isFault(planOf) ? planOf : failure
      return { user, errorCode: errorCode(wrong?.error ?? 'NONE'), errorMessage: wrong?.message ?? null }
    }),
  }
})

async function store(changes: readonly ScramChange[], call: Call): Promise<Fault | null> {
  try {
    if (changes.length > 0) await call.broker.users.change(changes)
    return null
  } catch (error) {
    return fault(
      storageFault(error, call, 'passwords could not be stored'),
      'the passwords could not be stored',
    )
  }
}

function changesOf(user: string, request: Request, call: Call): readonly ScramChange[] | Fault {
  if (!call.access.isSuperUser())
    return fault('CLUSTER_AUTHORIZATION_FAILED', 'only super users may set passwords')
  if (user === '') return fault('UNACCEPTABLE_CREDENTIAL', 'a user has a name')
  const deletions = request.deletions.filter(({ name }) => name === user)
  const upsertions = request.upsertions.filter(({ name }) => name === user)
  const named = [...deletions, ...upsertions].map(({ mechanism }) => mechanism)
  if (new Set(named).size < named.length)
    return fault('DUPLICATE_RESOURCE', 'the request names this user and mechanism twice')
  const changes = [
    ...deletions.map((each) => deletion(each, call.broker.users)),
    ...upsertions.map((each) => upsertion(each)),
  ]
  const wrong = changes.find(isFault)
  return wrong ?? changes.filter((each): each is ScramChange => !isFault(each))
}

const unknownMechanism = fault('UNSUPPORTED_SASL_MECHANISM', 'expected mechanism 1 (SHA-256) or 2 (SHA-512)')

function deletion({ name, mechanism: type }: Deletion, users: ScramUsers): ScramChange | Fault {
  const mechanism = scramTypes[type]
  if (mechanism === undefined) return unknownMechanism
  if (users.find(mechanism, name) === undefined)
    return fault('RESOURCE_NOT_FOUND', `this user has no ${mechanism} password`)
  return { user: name, mechanism, credential: undefined }
}

function upsertion(asked: Upsertion): ScramChange | Fault {
  const mechanism = scramTypes[asked.mechanism]
  if (mechanism === undefined) return unknownMechanism
  const wrong = unacceptable(mechanism, asked)
  if (wrong !== undefined) return fault('UNACCEPTABLE_CREDENTIAL', wrong)
  const { name, iterations, salt, saltedPassword } = asked
  return { user: name, mechanism, credential: credentialOf(mechanism, salt, iterations, saltedPassword) }
}

function unacceptable(
  mechanism: ScramMechanism,
  { iterations, salt, saltedPassword }: Upsertion,
): string | undefined {
  if (iterations < scramIterationsMin || iterations > scramIterationsMax)
    return `${iterations} iterations: expected ${scramIterationsMin} to ${scramIterationsMax}`
  if (salt.length === 0) return 'the salt is empty'
  if (saltedPassword.length !== hashBytes(mechanism))
    return `the salted password has ${hashBytes(mechanism)} bytes`
  return undefined
}
