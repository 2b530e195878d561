import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect } from 'node:tls'
import { generate } from 'selfsigned'
import { createSocketServer, readTlsKeys, type TlsFiles } from './tls.js'

const folder = mkdtempSync(join(tmpdir(), 'kop-tls-'))
const quiet = () => {}
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

/** @returns paths and texts of a self-signed certificate. */
async function certificate(name: string) {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }])
  const paths = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
  writeFileSync(paths.certificate, cert)
  writeFileSync(paths.key, key)
  return { ...paths, cert, private: key }
}
const own = await certificate('localhost')
const trusted = await certificate('trusted')
const stranger = await certificate('stranger')

/** Greets whoever is let in. @returns what a client with these options hears before the end. */
async function serve(context: TestContext, files: Partial<TlsFiles>) {
  const keys = readTlsKeys({
    certificate: own.certificate,
    key: own.key,
    trustCertificates: undefined,
    requiresClientCertificate: false,
    ...files,
  })
  const { server, end } = createSocketServer(keys, log, (socket) => socket.end('welcome'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    end()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return async (options: ConnectionOptions = {}): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', ca: own.cert, servername: 'localhost', ...options })
    let heard = ''
    socket.setEncoding('utf8').on('data', (text) => {
      heard += text
    })
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
    return heard
  }
}

const as = ({ cert, private: key }: typeof own): ConnectionOptions => ({ cert, key })

test('without trusted certificates clients show none, and old versions of TLS are not spoken', async (context) => {
  const hear = await serve(context, {})
  assert.equal(await hear(), 'welcome')
  assert.equal(await hear(as(stranger)), 'welcome')
  assert.equal(await hear({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }), '')
})

test('clients may show a certificate that is trusted, and no other', async (context) => {
  const hear = await serve(context, { trustCertificates: trusted.certificate })
  assert.equal(await hear(as(trusted)), 'welcome')
  assert.equal(await hear(), 'welcome')
  assert.equal(await hear(as(stranger)), '')
})

test('clients must show a certificate that is trusted', async (context) => {
  const files = { trustCertificates: trusted.certificate, requiresClientCertificate: true }
  const hear = await serve(context, files)
  assert.equal(await hear(as(trusted)), 'welcome')
  assert.equal(await hear(), '')
  assert.equal(await hear(as(stranger)), '')
})

test('files that are none are refused by name, in one line that tells nothing of a key', () => {
  const files = {
    certificate: own.certificate,
    key: own.key,
    trustCertificates: undefined,
    requiresClientCertificate: false,
  }
  const refusals = [
    { ...files, key: join(folder, 'none.key') },
    { ...files, key: own.certificate },
    { ...files, key: stranger.key },
    { ...files, trustCertificates: join(folder, 'none.pem') },
  ]
  for (const wrong of refusals)
    assert.throws(
      () => readTlsKeys(wrong),
      (error: Error) => error.message.includes(folder) && !/\n|PRIVATE/.test(error.message),
    )
})
