import type { NamespaceName, Right } from '../../security/types.js'
import type { TopicName } from '../../topics/types.js'
import { type Failure, fail } from '../failure.js'
import { parseTopicName } from '../names.js'
import type { Session } from '../session.js'
import {
  type Command,
  type CommandBody,
  type CommandName,
  LookupResult,
  PartitionMetadataResult,
  ServerError,
} from '../wire/commands.js'

/** What a command needs: the right itself, either to produce or to consume, or whichever of the namespace's. */
type Need = Extract<Right, 'produce' | 'consume'> | 'look-up'

interface Rule<Name extends CommandName> {
  isAllowed(session: Session, body: CommandBody<Name>): boolean
  refuse(session: Session, body: CommandBody<Name>, failure: Failure): void
}

/** Every command that names a topic or a namespace. What others do, they do to producers and consumers that were let in. */
const rules: { readonly [Name in CommandName]?: Rule<Name> } = {
  LOOKUP: {
    isAllowed: (session, { topic }) => mayOnNamed(session, topic, 'look-up'),
    refuse: (session, { requestId }, { failed, message }) =>
      session.send('LOOKUP_RESPONSE', {
        requestId,
        response: LookupResult.Failed,
        error: ServerError[failed],
        message,
      }),
  },
  PARTITIONED_METADATA: {
    isAllowed: (session, { topic }) => mayOnNamed(session, topic, 'look-up'),
    refuse: (session, { requestId }, { failed, message }) =>
      session.send('PARTITIONED_METADATA_RESPONSE', {
        requestId,
        response: PartitionMetadataResult.Failed,
        error: ServerError[failed],
        message,
      }),
  },
  PRODUCER: {
    isAllowed: (session, { topic, initialSubscriptionName = '' }) =>
      mayOnNamed(session, topic, 'produce') &&
      (initialSubscriptionName === '' || mayOnNamed(session, topic, 'consume')),
    refuse: refuseRequest,
  },
  SUBSCRIBE: {
    isAllowed: (session, { topic }) => mayOnNamed(session, topic, 'consume'),
    refuse: refuseRequest,
  },
  GET_TOPICS_OF_NAMESPACE: {
    isAllowed: (session, { namespace }) => {
      const [tenant = '', name = ''] = namespace.split('/')
      return mayInNamespace(session, { tenant, namespace: name })
    },
    refuse: refuseRequest,
  },
  GET_SCHEMA: {
    isAllowed: (session, { topic }) => mayOnNamed(session, topic, 'look-up'),
    refuse: (session, { requestId }, { failed, message }) =>
      session.send('GET_SCHEMA_RESPONSE', {
        requestId,
        errorCode: ServerError[failed],
        errorMessage: message,
      }),
  },
  GET_OR_CREATE_SCHEMA: {
    isAllowed: (session, { topic }) => mayOnNamed(session, topic, 'produce'),
    refuse: (session, { requestId }, { failed, message }) =>
      session.send('GET_OR_CREATE_SCHEMA_RESPONSE', {
        requestId,
        errorCode: ServerError[failed],
        errorMessage: message,
      }),
  },
}

function refuseRequest(
  session: Session,
  { requestId }: { readonly requestId: bigint },
  failure: Failure,
): void {
  session.sendError(requestId, failure)
}

/** Whether the client lacks the right that a command needs; it has been told so then. */
export function isUnauthorized(session: Session, command: Command): boolean {
  const rule = rules[command.name] as Rule<CommandName> | undefined
  if (rule === undefined || rule.isAllowed(session, command.body)) return false
  rule.refuse(session, command.body, fail('AuthorizationError', `Client is not authorized: ${command.name}`))
  return true
}

function mayOnNamed(session: Session, topic: string, need: Need): boolean {
  const name = parseTopicName(topic)
  // What is no name is refused as such.
  return name === undefined || mayOnTopic(session, name.literal, need)
}

/** Names without partition, and with: a partition's rights are its topic's. */
export function mayOnTopic(session: Session, topic: TopicName, need: Need): boolean {
  const authorizer = session.service.context.security?.authorizer ?? null
  const { role } = session
  if (authorizer === null) return true
  if (role === null) return false
  if (need !== 'look-up') return authorizer.mayOnTopic(role, topic, need)
  return authorizer.mayOnTopic(role, topic, 'consume') || authorizer.mayOnTopic(role, topic, 'produce')
}

const anyRight: readonly Right[] = ['consume', 'produce', 'functions']

function mayInNamespace(session: Session, namespace: NamespaceName): boolean {
  const authorizer = session.service.context.security?.authorizer ?? null
  const { role } = session
  if (authorizer === null) return true
  return role !== null && anyRight.some((right) => authorizer.mayInNamespace(role, namespace, right))
}
