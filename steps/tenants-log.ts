import { Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import { askAdmin } from './tenants-admin.js'
import { bearerMessage, login, loginScram, plainMessage } from './tenants-login.js'
import { secretsOf, wrongToken, wrongTokens } from './tenants-secured.js'
import { tenant } from './tenants-users.js'
import { holds, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* What is secret in log-ins, and where it must not be found. */

const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

/** @returns what it has shown, all of which is secret */
async function logInRightly(world: ConformanceWorld): Promise<string[]> {
  const { namespace, password, token, adminToken } = tenant(world, 'first')
  const errors = []
  for (const shown of [`token:${token}`, password]) {
    const answer = await login(world, 'right', 'PLAIN', plainMessage(namespace, shown))
    errors.push(answer.error)
  }
  errors.push((await login(world, 'right', 'OAUTHBEARER', bearerMessage(token, namespace))).error)
  for (const mechanism of MECHANISMS)
    errors.push((await loginScram(world, 'right', mechanism, namespace, password)).error)
  same('the right log-ins', ['NONE', 'NONE', 'NONE', 'NONE', 'NONE'], errors)
  const path = `/admin/v2/namespaces/${namespace}`
  same(
    'by the admin REST',
    200,
    (await askAdmin(world.endpoints.admin, { method: 'GET', path, token })).status,
  )
  await sendByPulsar(world, token)
  return [password, token, adminToken]
}

async function sendByPulsar(world: ConformanceWorld, token: string): Promise<void> {
  const driver = await world.pulsarAs({ token })
  const topic = `persistent://${tenant(world, 'first').namespace}/letters`
  await driver.call('produce', { topic, messages: [{ value: Buffer.from('letter').toString('base64') }] })
}

async function logInWrongly(world: ConformanceWorld): Promise<string[]> {
  const { namespace, role, password } = tenant(world, 'first')
  const { admin } = world.endpoints
  const errors = new Set<string>()
  const secrets = []
  for (const how of Object.keys(wrongTokens)) {
    const token = await wrongToken(how, role, secretsOf(world).key)
    const plain = await login(world, 'wrong', 'PLAIN', plainMessage(namespace, `token:${token}`))
    const bearer = await login(world, 'wrong', 'OAUTHBEARER', bearerMessage(token, namespace))
    const { status } = await askAdmin(admin, { method: 'GET', path: '/admin/v2/tenants', token })
    for (const error of [plain.error, bearer.error, String(status)]) errors.add(error)
    secrets.push(token)
  }
  const wrong = `${password}-but-wrong`
  errors.add((await login(world, 'wrong', 'PLAIN', plainMessage(namespace, wrong))).error)
  for (const mechanism of MECHANISMS)
    errors.add((await loginScram(world, 'wrong', mechanism, namespace, wrong)).error)
  same('the wrong log-ins', ['401', 'SASL_AUTHENTICATION_FAILED'], [...errors].sort())
  const [refused = ''] = secrets
  const isLetIn = await sendByPulsar(world, refused).then(
    () => true,
    () => false,
  )
  same('whether Pulsar lets an expired token in', false, isLetIn)
  return [...secrets, wrong]
}

When('its user logs in in every way, rightly and wrongly', async function (this: ConformanceWorld) {
  const { key, superToken } = secretsOf(this)
  const shown = [...(await logInRightly(this)), ...(await logInWrongly(this)), superToken]
  this.notes.set('shown', [...shown, key.toString('base64')])
})

/** A secret as it is, and in the forms in which bytes are printed. Of a token, what makes it one: its signature. */
function formsOf(secret: string): string[] {
  const [, , signature] = secret.split('.')
  const core = signature === undefined || signature === '' ? secret : signature
  const bytes = Buffer.from(core)
  // The last letters of a part in base64 depend on what follows.
  return [core, bytes.toString('hex'), bytes.toString('base64').replace(/.{3}=*$/, '')]
}

Then("the target's log holds no password, no token and no key", async function (this: ConformanceWorld) {
  if (this.instance.log === undefined) throw new Unsupported('the run has no log of the target')
  const log = await this.instance.log()
  holds('the log', log.length > 0, 'some lines', 'nothing')
  for (const secret of this.note<readonly string[]>('shown')) {
    for (const form of formsOf(secret)) {
      const at = log.indexOf(form)
      const line = at < 0 ? '' : log.slice(log.lastIndexOf('\n', at) + 1, log.indexOf('\n', at))
      holds('the log', at < 0, 'no secret', line)
    }
  }
})
