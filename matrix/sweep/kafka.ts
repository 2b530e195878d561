import { Unsupported } from '../driver/errors.js'
import type { TypedDriver } from '../driver/process.js'
import type { RawOps } from '../driver/raw-messages.js'

/** What is left of a run on the Kafka side of a target, found by its names, and deleted by single requests. */

const DELETE_TIMEOUT_MS = 10_000

interface Broker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

interface Metadata {
  readonly brokers: readonly Broker[]
  readonly topics: readonly { readonly name: string | null }[]
}

interface Described {
  readonly groups: readonly {
    readonly groupId: string
    readonly members: readonly { readonly memberId: string; readonly groupInstanceId?: string | null }[]
  }[]
}

/** Deletes groups, topics and users whose names begin with `prefix`. A refusal is not told: a later look shows what is left. */
export async function sweepKafka(raw: TypedDriver<RawOps>, prefix: string): Promise<void> {
  const { brokers, topics } = await ask<Metadata>(raw, 'Metadata', { topics: null })
  for (const { nodeId, host, port } of brokers) {
    const connection = `broker ${nodeId}`
    await raw.call('connect', { connection, port: 'kafka', address: `${host}:${port}` })
    await sweepGroups(raw, connection, prefix)
  }
  const names = topics.flatMap(({ name }) => (name?.startsWith(prefix) ? [name] : []))
  if (names.length > 0) {
    const body = {
      topicNames: names,
      topics: names.map((name) => ({ name })),
      timeoutMs: DELETE_TIMEOUT_MS,
    }
    await ask(raw, 'DeleteTopics', body)
  }
  await ignoringUnsupported(sweepUsers(raw, prefix))
}

/** Names of groups and topics that are there and begin with `prefix`. */
export async function leftInKafka(raw: TypedDriver<RawOps>, prefix: string): Promise<string[]> {
  const { brokers, topics } = await ask<Metadata>(raw, 'Metadata', { topics: null })
  const groups = await Promise.all(brokers.map(({ nodeId }) => groupsAt(raw, `broker ${nodeId}`, prefix)))
  const names = topics.flatMap(({ name }) => (name?.startsWith(prefix) ? [name] : []))
  return [...names.map((name) => `topic ${name}`), ...groups.flat().map((name) => `group ${name}`)]
}

/** Each broker knows the groups that it coordinates. */
async function groupsAt(raw: TypedDriver<RawOps>, connection: string, prefix: string): Promise<string[]> {
  const body = { statesFilter: [], typesFilter: [] }
  const { groups } = await ask<{ groups: { groupId: string }[] }>(raw, 'ListGroups', body, connection)
  return groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(prefix))
}

async function sweepGroups(raw: TypedDriver<RawOps>, connection: string, prefix: string): Promise<void> {
  const groups = await groupsAt(raw, connection, prefix)
  if (groups.length === 0) return
  // Members whose processes were killed are there until their sessions end.
  const described = await ask<Described>(raw, 'DescribeGroups', { groups }, connection)
  for (const { groupId, members } of described.groups) {
    if (members.length === 0) continue
    const [first] = members
    const body = { groupId, memberId: first?.memberId ?? '', members }
    await ask(raw, 'LeaveGroup', body, connection)
  }
  await ask(raw, 'DeleteGroups', { groupsNames: groups }, connection)
}

async function sweepUsers(raw: TypedDriver<RawOps>, prefix: string): Promise<void> {
  const { results } = await ask<{
    results: { user: string; credentialInfos: { mechanism: number }[] }[]
  }>(raw, 'DescribeUserScramCredentials', { users: null })
  const deletions = results
    .filter(({ user }) => user.startsWith(prefix))
    .flatMap(({ user, credentialInfos }) =>
      credentialInfos.map(({ mechanism }) => ({ name: user, mechanism })),
    )
  if (deletions.length > 0) await ask(raw, 'AlterUserScramCredentials', { deletions, upsertions: [] })
}

async function ask<Answer>(
  raw: TypedDriver<RawOps>,
  api: string,
  body: Record<string, unknown>,
  connection?: string,
): Promise<Answer> {
  const where = connection === undefined ? {} : { connection }
  return (await raw.call('request', { api, body, ...where })).body as Answer
}

/** Targets without users have none to delete. */
async function ignoringUnsupported(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Unsupported)) throw error
  })
}
