import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { DriverError } from '../lib/driver.mjs'

/*
 * Logging in to Kafka (KIP-43, KIP-152): SaslHandshake names the mechanism, SaslAuthenticate carries its messages.
 * `ask(api, version, body)` sends one request and answers its body.
 */

const HASHES = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' }

export async function login(sasl, ask) {
  const { errorCode, mechanisms } = await ask('SaslHandshake', 1, { mechanism: sasl.mechanism })
  if (errorCode !== 0) {
    throw new DriverError('UNSUPPORTED_SASL_MECHANISM', `the broker takes ${mechanisms.join(', ')}`)
  }
  const say = async (bytes) => {
    const answer = await ask('SaslAuthenticate', 0, { authBytes: Buffer.from(bytes).toString('base64') })
    if (answer.errorCode === 0) return Buffer.from(answer.authBytes ?? '', 'base64')
    throw refused(answer.errorMessage)
  }
  if (sasl.mechanism === 'PLAIN') await say(`\0${sasl.username}\0${sasl.password}`)
  else if (sasl.mechanism === 'OAUTHBEARER') await sayToken(sasl, say)
  else await scram(sasl, HASHES[sasl.mechanism], say)
}

const refused = (message) => new DriverError('SASL_AUTHENTICATION_FAILED', message || 'the broker refuses')

/** RFC 7628, with extensions (KIP-342). A refusal is told first as a challenge. */
async function sayToken({ token, extensions = {} }, say) {
  const pairs = Object.entries({ auth: `Bearer ${token}`, ...extensions })
  const challenge = await say(`n,,\x01${pairs.map(([name, value]) => `${name}=${value}\x01`).join('')}\x01`)
  if (challenge.length === 0) return
  await say('\x01')
  throw refused(challenge.toString('utf8'))
}

/** RFC 5802, without channel binding. */
async function scram({ username, password }, hash, say) {
  const first = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${randomBytes(18).toString('base64')}`
  const challenge = (await say(`n,,${first}`)).toString('utf8')
  const { r: nonce, s: salt, i: iterations } = attributesOf(challenge)
  const keyBytes = createHash(hash).digest().length
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), keyBytes, hash)
  const hmac = (key, text) => createHmac(hash, key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const withoutProof = `c=biws,r=${nonce}`
  const all = `${first},${challenge},${withoutProof}`
  const signature = hmac(createHash(hash).update(clientKey).digest(), all)
  const proof = clientKey.map((byte, index) => byte ^ signature[index])
  const last = await say(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  const { v: verifier } = attributesOf(last.toString('utf8'))
  const expected = hmac(hmac(salted, 'Server Key'), all).toString('base64')
  if (verifier !== expected) throw refused('the broker does not know the password itself')
}

/** `r=…,s=…,i=…`; values may hold `=`. */
function attributesOf(message) {
  return Object.fromEntries(message.split(',').map((part) => [part[0], part.slice(2)]))
}
