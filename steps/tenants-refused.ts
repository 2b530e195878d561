import { Given, Then, When } from '@cucumber/cucumber'
import { DriverCrashed, DriverTimedOut, Unsupported } from '../matrix/driver/errors.js'
import type { KafkaSecurity, PulsarSecurity } from './addresses.js'
import { askAdmin } from './tenants-admin.js'
import {
  authenticate,
  bearerMessage,
  exchange,
  handshake,
  type LoginAnswer,
  login,
  loginScram,
  plainMessage,
  type ScramMechanism,
} from './tenants-login.js'
import { secretsOf, usePasswords, wrongToken } from './tenants-secured.js'
import { newPassword, setPassword, type Tenant, tenant } from './tenants-users.js'
import { holds, Mismatch, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* Credentials that are wrong in one way each: by client libraries, and message by message. */

/** No client asks again for so long: what is refused is refused at once, and libraries may need their time to say so. */
const SECONDS_MAX = 30
const CLOSES_MS = 10_000

/* ---- Users with passwords ------------------------------------------------------------------------------------------- */

interface User {
  readonly user: string
  readonly password: string
  readonly others: string
}

Given('a user with a password', async function (this: ConformanceWorld) {
  await usePasswords(this)
  const user = this.newName('-user')
  const made: User = { user, password: newPassword(), others: newPassword() }
  await setPassword(this, user, made.password)
  await setPassword(this, `${user}-2`, made.others)
  this.notes.set('user', made)
})

const userOf = (world: ConformanceWorld): User => world.note<User>('user')

/** A password that is wrong as the scenario says. */
function passwordThatIs(what: string, { password, others }: Pick<User, 'password' | 'others'>): string {
  const passwords: Readonly<Record<string, string>> = {
    'its own password': password,
    'another password': `not-${password}`,
    "another user's password": others,
    'its password but the last letter': password.slice(0, -1),
    'its password and one letter more': `${password}x`,
    'its password in capitals': password.toUpperCase(),
    'the first letter of its password': password.slice(0, 1),
    'an empty password': '',
  }
  const found = passwords[what]
  if (found === undefined) throw new Error(`no such password: ${what}`)
  return found
}

/* ---- By client libraries -------------------------------------------------------------------------------------------- */

interface Attempted {
  /** NONE, or the error's name. */
  readonly error: string
  readonly message: string
  readonly milliseconds: number
}

async function attempt(world: ConformanceWorld, call: () => Promise<unknown>): Promise<void> {
  const started = Date.now()
  const error = await call().then(
    () => null,
    (refused: unknown) => refused,
  )
  const isNoAnswer = error instanceof DriverTimedOut || error instanceof DriverCrashed
  if (isNoAnswer || error instanceof Unsupported) throw error
  const milliseconds = Date.now() - started
  const attempted: Attempted =
    error instanceof Error
      ? { error: error.name, message: error.message, milliseconds }
      : { error: 'NONE', message: '', milliseconds }
  world.notes.set('attempted', attempted)
}

const attemptByKafka = (world: ConformanceWorld, security: KafkaSecurity) =>
  attempt(world, async () => (await world.kafkaAs(security)).call('listTopics', {}))

When(
  /^a client logs in by (\S+) as (that|another) user with (.+)$/,
  async function (this: ConformanceWorld, mechanism: ScramMechanism, who: string, what: string) {
    const known = userOf(this)
    const username = who === 'that' ? known.user : `${known.user}-3`
    const security = { sasl: { mechanism, username, password: passwordThatIs(what, known) } }
    await attemptByKafka(this, security)
    if (who === 'that' && what === 'its own password') this.notes.set('let in', security)
  },
)

Then('it is let in', function (this: ConformanceWorld) {
  const { error, message } = this.note<Attempted>('attempted')
  holds('the log-in', error === 'NONE', 'no error', `${error}: ${message}`)
})

function refusedInTime(world: ConformanceWorld): Attempted {
  const attempted = world.note<Attempted>('attempted')
  const isInTime = attempted.milliseconds < SECONDS_MAX * 1000
  holds('the time until it is refused', isInTime, `less than ${SECONDS_MAX} s`, attempted)
  if (attempted.error === 'NONE') throw new Mismatch('the log-in', 'a refusal', 'it was let in')
  return attempted
}

Then('it is refused with {word} within seconds', function (this: ConformanceWorld, expected: string) {
  same('the error of logging in', expected, refusedInTime(this).error)
})

/** Some libraries swallow the protocol's error of a mechanism, and tell of the closed connection or of their time-out. */
Then(
  /^it is refused within seconds, (?:by SASL_AUTHENTICATION_FAILED or )?as its library tells it$/,
  function (this: ConformanceWorld) {
    refusedInTime(this)
  },
)

Then('the client that was let in goes on', async function (this: ConformanceWorld) {
  const driver = await this.kafkaAs(this.note<KafkaSecurity>('let in'))
  await driver.call('listTopics', {})
})

/* ---- Message by message --------------------------------------------------------------------------------------------- */

const LOG_IN = 'log-in'

function noteLogin(world: ConformanceWorld, answer: LoginAnswer): void {
  world.notes.set('login', answer)
}

When(
  /^the user's name and (.+) are sent by (\S+)$/,
  async function (this: ConformanceWorld, what: string, mechanism: ScramMechanism) {
    const known = userOf(this)
    noteLogin(this, await loginScram(this, LOG_IN, mechanism, known.user, passwordThatIs(what, known)))
  },
)

When('a client names the mechanism {string}', async function (this: ConformanceWorld, name: string) {
  noteLogin(this, await login(this, LOG_IN, name, null))
})

When(/^a client sends (.+) in place of its log-in$/, async function (this: ConformanceWorld, what: string) {
  const { user, password } = userOf(this)
  const mechanism = 'SCRAM-SHA-256'
  const scram = (spoil: (last: string) => string) =>
    loginScram(this, LOG_IN, mechanism, user, password, spoil)
  const message = async (bytes: Buffer): Promise<LoginAnswer> => {
    same('the answer to the handshake', 'NONE', await handshake(this, LOG_IN, mechanism))
    return authenticate(this, LOG_IN, bytes)
  }
  const wrong = this.random.bytes(32).toString('base64')
  const sent: Readonly<Record<string, () => Promise<LoginAnswer>>> = {
    'random bytes as a SCRAM message': () => message(this.random.bytes(60)),
    'an empty SCRAM message': () => message(Buffer.alloc(0)),
    'a SCRAM message of another form': () => message(Buffer.from(`n,,n=${user}`)),
    'its last SCRAM message first': () => message(Buffer.from(`c=biws,r=abc,p=${wrong}`)),
    'a proof of the right form but wrong': () => scram((last) => last.replace(/p=.*$/, `p=${wrong}`)),
    'a nonce that was changed': () => scram((last) => last.replace(/r=./, 'r=~')),
  }
  const send = sent[what]
  if (send === undefined) throw new Error(`nothing is known of ${what}`)
  noteLogin(this, await send())
})

async function connectionEnds(world: ConformanceWorld): Promise<void> {
  const raw = await world.raw()
  const { closed } = await raw.call('expectClose', { connection: LOG_IN, timeoutMs: CLOSES_MS })
  same('whether the connection ended', true, closed)
}

Then(
  /^the log-in is refused(?: with (\S+))?, and the connection ends$/,
  async function (this: ConformanceWorld, expected: string | null) {
    const { error } = this.note<LoginAnswer>('login')
    if (expected) same('the error of the log-in', expected, error)
    else {
      const isRefusal = ['SASL_AUTHENTICATION_FAILED', 'ILLEGAL_SASL_STATE', 'CLOSED'].includes(error)
      holds('the error of the log-in', isRefusal, 'a refusal', error)
    }
    await connectionEnds(this)
  },
)

Then('the right password is still taken', async function (this: ConformanceWorld) {
  const { user, password } = userOf(this)
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    const { error, serverIsProven } = await loginScram(this, `right ${mechanism}`, mechanism, user, password)
    same(`the log-in by ${mechanism}`, { error: 'NONE', serverIsProven: true }, { error, serverIsProven })
  }
})

When('a client that has not logged in asks {word}', async function (this: ConformanceWorld, api: string) {
  const raw = await this.raw()
  const { kafkaSasl, kafka } = this.endpoints
  const address = kafkaSasl ?? kafka
  await raw.call('connect', { connection: LOG_IN, port: 'kafka', ...(address !== undefined && { address }) })
  const body = api === 'Metadata' ? { topics: null } : {}
  this.notes.set('answer', await exchange(this, LOG_IN, api, undefined, body))
})

Then('the connection ends without an answer', async function (this: ConformanceWorld) {
  same('the answer', 'CLOSED', this.note('answer'))
  await connectionEnds(this)
})

/* ---- Tokens --------------------------------------------------------------------------------------------------------- */

interface Shown {
  readonly user: string
  /** A whole password: tokens with their prefix. */
  readonly password: string
  readonly token: string
}

async function shown(world: ConformanceWorld, what: string, of: Tenant): Promise<Shown> {
  const { key } = secretsOf(world)
  const { namespace: user, token, name } = of
  const right = { user, token, password: `token:${token}` }
  const [, how] = /^a token (.+)$/.exec(what) ?? []
  if (how !== undefined) {
    const made = await wrongToken(how, of.role, key)
    return { user, token: made, password: `token:${made}` }
  }
  if (what === 'its token and an unknown tenant') return { ...right, user: `${name}x/orders` }
  if (what === 'its token and an unknown namespace') return { ...right, user: `${name}/nowhere` }
  if (what === 'an empty token') return { user, token: '', password: 'token:' }
  if (what === 'the token alone, without "token:"') return { ...right, password: token }
  return { ...right, password: passwordThatIs(what, { password: of.password, others: of.password }) }
}

When(
  /^its client logs in by (PLAIN|OAUTHBEARER) with (.+)$/,
  async function (this: ConformanceWorld, mechanism: 'PLAIN' | 'OAUTHBEARER', what: string) {
    const { user: username, password, token } = await shown(this, what, tenant(this, 'first'))
    const sasl =
      mechanism === 'PLAIN'
        ? { mechanism, username, password }
        : { mechanism, token, extensions: { tenant: username } }
    await attemptByKafka(this, { sasl })
  },
)

When(
  /^its user logs in by (PLAIN|OAUTHBEARER) with (.+)$/,
  async function (this: ConformanceWorld, mechanism: string, what: string) {
    const { user, password, token } = await shown(this, what, tenant(this, 'first'))
    const message = mechanism === 'PLAIN' ? plainMessage(user, password) : bearerMessage(token, user)
    noteLogin(this, await login(this, LOG_IN, mechanism, message))
  },
)

Then("the user's token is still taken", async function (this: ConformanceWorld) {
  const { namespace, token } = tenant(this, 'first')
  const plain = await login(this, 'plain', 'PLAIN', plainMessage(namespace, `token:${token}`))
  const bearer = await login(this, 'bearer', 'OAUTHBEARER', bearerMessage(token, namespace))
  same('the log-ins with the right token', ['NONE', 'NONE'], [plain.error, bearer.error])
})

/* ---- Pulsar --------------------------------------------------------------------------------------------------------- */

const attemptByPulsar = (world: ConformanceWorld, security: PulsarSecurity) =>
  attempt(world, async () => {
    const driver = await world.pulsarAs(security)
    const topic = `persistent://${tenant(world, 'first').namespace}/letters`
    const value = Buffer.from('letter').toString('base64')
    return driver.call('produce', { topic, messages: [{ value }] })
  })

const tokenThat = (world: ConformanceWorld, how: string): Promise<string> =>
  wrongToken(how, tenant(world, 'first').role, secretsOf(world).key)

When(/^its Pulsar client shows a token (.+)$/, async function (this: ConformanceWorld, how: string) {
  await attemptByPulsar(this, { token: await tokenThat(this, how) })
})

When('its Pulsar client shows no token', async function (this: ConformanceWorld) {
  await attemptByPulsar(this, {})
})

Then('a Pulsar client with the right token is let in', async function (this: ConformanceWorld) {
  await attemptByPulsar(this, { token: tenant(this, 'first').token })
  const { error, message } = this.note<Attempted>('attempted')
  holds('the log-in', error === 'NONE', 'no error', `${error}: ${message}`)
})

const attemptByTool = (world: ConformanceWorld, token: string) =>
  attempt(world, async () => {
    const tool = await world.pulsarAdminAs({ token })
    return tool.call('listTopics', { namespace: tenant(world, 'first').namespace })
  })

When(/^Pulsar's tool shows a token (.+)$/, async function (this: ConformanceWorld, how: string) {
  await attemptByTool(this, await tokenThat(this, how))
})

Then('it is refused with 401', function (this: ConformanceWorld) {
  same('the status', '401', refusedInTime(this).error)
})

Then("Pulsar's tool with the right token is let in", async function (this: ConformanceWorld) {
  await attemptByTool(this, tenant(this, 'first').token)
  const { error, message } = this.note<Attempted>('attempted')
  holds('the log-in', error === 'NONE', 'no error', `${error}: ${message}`)
})

/** What the admin REST answers to a token, in the clear and over TLS. */
async function statusesOf(world: ConformanceWorld, token: string): Promise<number[]> {
  const { admin, adminTls } = world.endpoints
  const path = `/admin/v2/persistent/${tenant(world, 'first').namespace}`
  const asked = { method: 'GET', path, token }
  const plain = await askAdmin(admin, asked)
  const overTls = await askAdmin(adminTls, { ...asked, caPem: secretsOf(world).caPem })
  return [plain.status, overTls.status]
}

When(/^the admin REST is shown a token (.+)$/, async function (this: ConformanceWorld, how: string) {
  this.notes.set('statuses', await statusesOf(this, await tokenThat(this, how)))
})

Then('it answers 401 to it, and 200 to the right one', async function (this: ConformanceWorld) {
  const right = await statusesOf(this, tenant(this, 'first').token)
  same('the statuses', { wrong: [401, 401], right: [200, 200] }, { wrong: this.note('statuses'), right })
})
