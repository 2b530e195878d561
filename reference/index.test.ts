import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, parseConfig, startBroker } from 'kop-conformance/reference'

const anyPorts = { kafkaListeners: 'PLAINTEXT://127.0.0.1:0', brokerServicePort: '0', webServicePort: '0' }

test('a program can start the broker by the name of the package, and stop it', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'kop-import-'))
  const broker = await startBroker(parseConfig({ ...anyPorts, dataDirectory, logLevel: 'silent' }))
  try {
    const health = await fetch(`${broker.endpoints.admin}/admin/v2/brokers/health`)
    assert.equal(await health.text(), 'ok')
  } finally {
    await broker.stop()
  }
  const port = Number(broker.endpoints.kafka.split(':').at(-1))
  const refused = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(undefined))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
  assert.equal(refused, 'ECONNREFUSED')
  rmSync(dataDirectory, { recursive: true })
})

test('wrong settings are an error of their own', () => {
  assert.throws(() => parseConfig({ offsetMapping: 'none' }), ConfigError)
})
