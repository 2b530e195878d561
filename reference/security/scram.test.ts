import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import {
  credentialOf,
  isPassword,
  parseClientFirst,
  type ScramMechanism,
  saltedPasswordOf,
  serverFirst,
  verifyClientFinal,
} from './scram.js'

/* RFC 7677, 3: user "user", password "pencil". */
const clientFirst = Buffer.from('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const iterations = 4096
const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const proof = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='
const clientFinal = `c=biws,r=${nonce},p=${proof}`

const first = (message: Buffer) => {
  const parsed = parseClientFirst(message)
  assert.ok(parsed !== null)
  return parsed
}

async function credential(mechanism: ScramMechanism = 'SCRAM-SHA-256') {
  return credentialOf(
    mechanism,
    salt,
    iterations,
    await saltedPasswordOf(mechanism, 'pencil', salt, iterations),
  )
}

test('the exchange of RFC 7677 goes as it is written there', async () => {
  const stored = await credential()
  assert.equal(serverFirst(nonce, stored), `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)
  const final = verifyClientFinal(
    'SCRAM-SHA-256',
    stored,
    first(clientFirst),
    nonce,
    Buffer.from(clientFinal),
  )
  assert.equal(final, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

/** A client by the RFC's formulas, not by the code under test. */
function finalMessage(mechanism: ScramMechanism, password: string, gs2 = 'n,,'): Buffer {
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const salted = pbkdf2Sync(password, salt, iterations, hash === 'sha256' ? 32 : 64, hash)
  const key = createHmac(hash, salted).update('Client Key').digest()
  const stored = createHash(hash).update(key).digest()
  const withoutProof = `c=${Buffer.from(gs2).toString('base64')},r=${nonce}`
  const text = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt.toString('base64')},i=4096,${withoutProof}`
  const signature = createHmac(hash, stored).update(text).digest()
  const bytes = key.map((byte, at) => byte ^ (signature[at] ?? 0))
  return Buffer.from(`${withoutProof},p=${Buffer.from(bytes).toString('base64')}`)
}

for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
  test(`${mechanism}: the whole password is right, a part of it or more is not`, async () => {
    const stored = await credential(mechanism)
    const verify = (password: string) =>
      verifyClientFinal(mechanism, stored, first(clientFirst), nonce, finalMessage(mechanism, password))
    assert.notEqual(verify('pencil'), null)
    for (const wrong of ['pen', 'penci', 'pencil ', 'pencils', 'Pencil', ''])
      assert.equal(verify(wrong), null, wrong)
    assert.equal(await isPassword(mechanism, stored, 'pencil'), true)
    for (const wrong of ['pen', 'pencils', ''])
      assert.equal(await isPassword(mechanism, stored, wrong), false)
  })
}

test('final messages that are cut, longer, of another nonce, binding or alphabet are refused', async () => {
  const stored = await credential()
  const wrong = {
    cutProof: clientFinal.slice(0, -5),
    cutPadding: clientFinal.slice(0, -1),
    noProof: `c=biws,r=${nonce}`,
    emptyProof: `c=biws,r=${nonce},p=`,
    more: `${clientFinal}AAAA`,
    another: `${clientFinal},x=1`,
    urlAlphabet: clientFinal.replace('+', '-'),
    blanks: `${clientFinal} `,
    otherNonce: clientFinal.replace(nonce, `${nonce}x`),
    clientsNonceOnly: clientFinal.replace(nonce, 'rOprNGfwEbeRWgbNEkqO'),
    bindingY: clientFinal.replace('biws', 'eSws'),
    bindingP: clientFinal.replace('biws', 'cD10bHMtdW5pcXVlLCw='),
    empty: '',
  }
  for (const [name, message] of Object.entries(wrong)) {
    const final = verifyClientFinal('SCRAM-SHA-256', stored, first(clientFirst), nonce, Buffer.from(message))
    assert.equal(final, null, name)
  }
  const notText = Buffer.concat([Buffer.from(clientFinal), Buffer.from([0xff])])
  assert.equal(verifyClientFinal('SCRAM-SHA-256', stored, first(clientFirst), nonce, notText), null)
})

test('a client that could bind channels says so in both messages, or is refused', async () => {
  const stored = await credential()
  const begun = first(Buffer.from('y,,n=user,r=rOprNGfwEbeRWgbNEkqO'))
  const verify = (gs2: string) =>
    verifyClientFinal('SCRAM-SHA-256', stored, begun, nonce, finalMessage('SCRAM-SHA-256', 'pencil', gs2))
  assert.notEqual(verify('y,,'), null)
  assert.equal(verify('n,,'), null)
})

test('first messages: names are unescaped, extensions passed over', () => {
  const parsed = first(Buffer.from('n,a=me,n=tenant/n=2Cs=3D,r=abc,t=true'))
  assert.deepEqual([parsed.user, parsed.authorizationId, parsed.nonce], ['tenant/n,s=', 'me', 'abc'])
})

test('first messages of another form are refused', () => {
  const wrong = [
    '',
    'n,,',
    'n=user,r=abc',
    'n,,n=user',
    'n,,n=,r=abc',
    'n,,n=user,r=',
    'n,,n=us=er,r=abc',
    'n,,m=must,n=user,r=abc',
    'p=tls-unique,,n=user,r=abc',
    'x,,n=user,r=abc',
    'n,,n=user,r=a\u0001bc',
    'n,,r=abc,n=user',
  ]
  for (const message of wrong) assert.equal(parseClientFirst(Buffer.from(message)), null, message)
})
