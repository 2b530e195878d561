import { Given, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import { askAdmin } from './tenants-admin.js'
import {
  type Attacker,
  type Belongings,
  byTopicIds,
  everythingListed,
  loggingIn,
  onCluster,
  onGroups,
  onNothing,
  onTopics,
  prepareOwnGroup,
} from './tenants-attempts.js'
import { makeBelongings, viewOf } from './tenants-belongings.js'
import { loginScram } from './tenants-login.js'
import { loginAs, makeTenants, pulsarSecurity, type Tenant, tenant } from './tenants-users.js'
import { holds, Mismatch, same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* What the second tenant tries on what is the first's. */

Given("a tenant's topic and group, and a user of another tenant", async function (this: ConformanceWorld) {
  await makeTenants(this, ['first', 'second'], 'administers')
  const owner = tenant(this, 'first')
  const belongings = await makeBelongings(this, owner)
  this.notes.set('belongings', belongings)
  this.notes.set('view', await viewOf(this, owner, belongings))
})

const belongingsOf = (world: ConformanceWorld): Belongings => world.note<Belongings>('belongings')

/** From its own namespace, as any client of the second tenant works. */
async function fromOutside(world: ConformanceWorld, of: Tenant = tenant(world, 'second')): Promise<Attacker> {
  const connection = `outside ${of.token.slice(-8)}`
  same('the log-in of the other tenant', 'NONE', (await loginAs(world, connection, of)).error)
  const attacker = { world, connection, belongings: belongingsOf(world) }
  await prepareOwnGroup(attacker)
  return attacker
}

/** It says that it works in the namespace of the first. null: refused already for that. */
async function fromInside(world: ConformanceWorld): Promise<Attacker | null> {
  const connection = 'inside'
  const { namespace } = tenant(world, 'first')
  const { error } = await loginAs(world, connection, tenant(world, 'second'), namespace)
  if (error === 'SASL_AUTHENTICATION_FAILED') return null
  same('the log-in in the other’s namespace', 'NONE', error)
  return { world, connection, belongings: belongingsOf(world) }
}

/** Of a table of attempts. @throws Unsupported where the target does not list the API */
function attemptOf<Attempt>(attempts: Readonly<Record<string, Attempt>>, api: string): Attempt {
  const attempt = attempts[api]
  if (attempt === undefined) throw new Error(`there is no attempt of ${api}`)
  return attempt
}

const WRONG_FORM = 'INVALID_TOPIC_EXCEPTION'

interface Tried {
  readonly how: string
  /** Answers that are right here beside those of the API. */
  readonly also?: readonly string[]
  readonly errors: readonly string[]
}

function noteTried(world: ConformanceWorld, tried: readonly Tried[]): void {
  world.notes.set('tried', tried)
}

When(
  'the other tries {word} on the topic, by each of its names and by one that is not there',
  async function (this: ConformanceWorld, api: string) {
    const attempt = attemptOf(onTopics, api)
    const { topic, fullTopic } = belongingsOf(this)
    const tried: Tried[] = []
    if (this.fact('MT-2') === 'offered') {
      const outside = await fromOutside(this)
      for (const name of [fullTopic, `persistent://${fullTopic}`, `${fullTopic}-none`])
        tried.push({ how: `by the name ${name}`, errors: await attempt(outside, name) })
      // Such a name may be refused for its form, whoever asks (MT-8): of what has that form nothing can be committed.
      const partition = `${fullTopic}-partition-0`
      const errors = await attempt(outside, partition)
      tried.push({
        how: 'by the name of its partition',
        errors,
        also: api === 'OffsetFetch' ? ['NONE', WRONG_FORM] : [WRONG_FORM],
      })
    }
    for (const name of [topic, `${topic}-none`]) {
      const inside = await fromInside(this)
      const errors = inside === null ? ['SASL_AUTHENTICATION_FAILED'] : await attempt(inside, name)
      tried.push({ how: `by the name ${name} within its namespace`, errors })
    }
    noteTried(this, tried)
  },
)

When('the other tries {word} by the id of the topic', async function (this: ConformanceWorld, api: string) {
  const attempt = attemptOf(byTopicIds, api)
  const { topicId } = belongingsOf(this)
  const tried = [{ how: 'by the id', errors: await attempt(await fromOutside(this), topicId) }]
  const inside = await fromInside(this)
  if (inside !== null) tried.push({ how: 'within its namespace', errors: await attempt(inside, topicId) })
  noteTried(this, tried)
})

When(
  'the other tries {word} on the group, from its own namespace',
  async function (this: ConformanceWorld, api: string) {
    const attempt = attemptOf(onGroups, api)
    const { group, user } = belongingsOf(this)
    const attacker = await fromOutside(this)
    const tried: Tried[] = []
    for (const name of [group, `${user}/${group}`])
      tried.push({ how: `on the group ${name}`, errors: await attempt(attacker, name) })
    noteTried(this, tried)
  },
)

When(
  'the other tries {word} on the group, from within its namespace',
  async function (this: ConformanceWorld, api: string) {
    const attempt = attemptOf(onGroups, api)
    const inside = await fromInside(this)
    const errors =
      inside === null ? ['SASL_AUTHENTICATION_FAILED'] : await attempt(inside, belongingsOf(this).group)
    noteTried(this, [{ how: 'within its namespace', errors }])
  },
)

When('the other tries {word} on the cluster', async function (this: ConformanceWorld, api: string) {
  const attempt = attemptOf(onCluster, api)
  noteTried(this, [{ how: 'as a user', errors: await attempt(await fromOutside(this), null) }])
})

When(
  'the other tries {word}, which names nothing of anybody',
  async function (this: ConformanceWorld, api: string) {
    const attempt = attemptOf(onNothing, api)
    noteTried(this, [{ how: 'as a user', errors: await attempt(await fromOutside(this), null) }])
  },
)

Then(/^it is answered (\S+(?: or \S+)*)$/, function (this: ConformanceWorld, answers: string) {
  const allowed = new Set([...answers.split(' or '), 'SASL_AUTHENTICATION_FAILED'])
  for (const { how, errors, also } of this.note<readonly Tried[]>('tried')) {
    holds(`the number of errors ${how}`, errors.length > 0, 'at least one', errors)
    const isRight = (error: string) => allowed.has(error) || also?.includes(error) === true
    holds(`the answer ${how}`, errors.every(isRight), answers, errors)
  }
})

Then('everything of the tenant is as it was', async function (this: ConformanceWorld) {
  const owner = tenant(this, 'first')
  const before = this.note<Record<string, unknown>>('view')
  const after = (await viewOf(this, owner, belongingsOf(this))) as Record<string, unknown>
  for (const [what, seen] of Object.entries(after)) same(`the tenant’s ${what}`, before[what], seen)
})

Then("the tenant's user has its old password", async function (this: ConformanceWorld) {
  const { namespace, password } = tenant(this, 'first')
  const { error } = await loginScram(this, 'still', 'SCRAM-SHA-256', namespace, password)
  same('the log-in by the old password', 'NONE', error)
})

Then(
  'every API that the target lists has been tried by these scenarios',
  async function (this: ConformanceWorld) {
    const { apis } = await (await this.raw()).call('apiVersions', {})
    const tables = [onTopics, byTopicIds, onGroups, onCluster, onNothing]
    const known = new Set([...tables.flatMap((table) => Object.keys(table)), ...loggingIn])
    const forgotten = apis.filter(({ name }) => name === null || !known.has(name))
    sameList(
      'APIs that nobody has tried',
      [],
      forgotten.map(({ key, name }) => name ?? `API ${key}`),
    )
  },
)

/* ---- Listings --------------------------------------------------------------------------------------------------- */

Then(
  'nothing that the other is listed names the topic, the group or the tenant',
  async function (this: ConformanceWorld) {
    const text = await everythingListed(await fromOutside(this))
    const { topic, topicId, group, memberId } = belongingsOf(this)
    for (const name of [topic, topicId, group, memberId, tenant(this, 'first').name])
      holds('what is listed', !text.includes(name), `nothing of ${name}`, text)
  },
)

/* ---- Pulsar's side ------------------------------------------------------------------------------------------------ */

When(
  /^the other's Pulsar client tries to (write|subscribe|read|ask for the last message|ask for the partitions)(?: (?:to|of|by|from) it)?$/,
  async function (this: ConformanceWorld, what: string) {
    const topic = `persistent://${belongingsOf(this).fullTopic}`
    const partition = `${topic}-partition-0`
    const driver = await this.pulsarAs(pulsarSecurity(tenant(this, 'second')))
    const value = Buffer.from('not yours').toString('base64')
    const attempts: Record<string, () => Promise<unknown>> = {
      write: () => driver.call('produce', { topic: partition, messages: [{ value }] }),
      subscribe: () => driver.call('subscribe', { consumer: 'c', topic: partition, subscription: 'mine' }),
      read: () => driver.call('read', { topic: partition, until: 'end' }),
      'ask for the last message': () => driver.call('lastMessageId', { topic: partition }),
      'ask for the partitions': () => driver.call('partitions', { topic }),
    }
    const answer = await attempts[what]?.().catch((error: unknown) => error)
    this.notes.set('answer', answer)
  },
)

Then('it is refused', function (this: ConformanceWorld) {
  const answer = this.note<unknown>('answer')
  if (answer instanceof Unsupported) throw answer
  if (!(answer instanceof Error)) throw new Mismatch('the answer', 'a refusal', answer)
  // Libraries name it each in its own way, or ask again until their time-out.
  const isRefusal = /Authori[sz]|^TIMEOUT$|^40[13]$/.test(answer.name)
  holds('the error', isRefusal, 'a refusal', `${answer.name}: ${answer.message}`)
})

/* ---- Admin REST ------------------------------------------------------------------------------------------------- */

When(
  /^the other asks the admin REST for (GET|PUT|POST|DELETE) (\S+)(?: with (.+))?$/,
  async function (this: ConformanceWorld, method: string, form: string, given?: string) {
    const { group, fullTopic } = belongingsOf(this)
    const { name, namespace } = tenant(this, 'first')
    const path = `/admin/v2/${form}`
      .replace('TOPIC', `persistent/${fullTopic}`)
      .replace('PARTITION', `persistent/${fullTopic}-partition-0`)
      .replace('NAMESPACE', namespace)
      .replace('TENANT', name)
      .replace('GROUP', group)
    const body: unknown = given ? JSON.parse(given) : undefined
    const { admin } = this.endpoints
    const other = tenant(this, 'second')
    // Its own tenant is its to manage: what is refused is refused for whose it is.
    const own = { method: 'GET', path: `/admin/v2/namespaces/${other.name}` }
    for (const token of [other.token, other.adminToken])
      same('the status for its own tenant', 200, (await askAdmin(admin, { ...own, token })).status)
    const ask = async (token: string | undefined) =>
      (await askAdmin(admin, { method, path, body, token })).status
    this.notes.set('statuses', [
      await ask(other.token),
      await ask(other.adminToken),
      await ask(undefined),
      await ask(`${other.token}x`),
    ])
  },
)

Then('it is forbidden, and without a right token it is unauthorized', function (this: ConformanceWorld) {
  same(
    'statuses to its user, its admin, nobody, and a wrong token',
    [403, 403, 401, 401],
    this.note('statuses'),
  )
})
