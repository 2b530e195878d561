import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  ConfigError,
  environmentName,
  parseConfig,
  protocolOf,
  readConfigFile,
  readEnvironment,
} from './config.js'

const refusal = (given: Record<string, string>) => {
  try {
    parseConfig(given)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  assert.fail('was accepted')
}

test('defaults are the documented ones', () => {
  const config = parseConfig({})
  assert.equal(config.entryFormat, 'pulsar')
  assert.equal(config.offsetMapping, 'index')
  assert.equal(config.journalSyncData, true)
  assert.equal(`${config.kafkaTenant}/${config.kafkaNamespace}`, 'public/default')
})

test('kafkaNamespace may name the tenant as well', () => {
  const config = parseConfig({ kafkaNamespace: 'acme/orders' })
  assert.equal(config.kafkaTenant, 'acme')
  assert.equal(config.kafkaNamespace, 'orders')
})

test('a wrong setting is refused in one line with its name and value', () => {
  assert.match(refusal({ offsetMapping: 'pakced' }), /^offsetMapping=pakced: .*index.*packed.*wrapper/)
  assert.match(refusal({ brokerServicePort: '70000' }), /^brokerServicePort=70000: .*65535/)
  assert.match(refusal({ maxMessageSize: '1e9' }), /^maxMessageSize=1e9: expected a whole number/)
  assert.match(refusal({ entryFromat: 'kafka' }), /^entryFromat: no such setting/)
})

test('listeners are names, hosts and ports', () => {
  const config = parseConfig({ kafkaListeners: 'PLAINTEXT://127.0.0.1:0,INSIDE://[::1]:19092' })
  assert.deepEqual(config.kafkaListeners, [
    { name: 'PLAINTEXT', host: '127.0.0.1', port: 0 },
    { name: 'INSIDE', host: '::1', port: 19_092 },
  ])
  assert.equal(parseConfig({ listeners: 'A://h:1' }).kafkaListeners[0]?.host, 'h')
  assert.match(
    refusal({ kafkaListeners: 'localhost:9092' }),
    /^kafkaListeners=localhost:9092: expected NAME:/,
  )
})

test('files and environment give the same settings', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'kop-config-')), 'broker.properties')
  writeFileSync(path, '# a comment\nentryFormat=kafka\nbrokerServicePort = 0\n')
  assert.deepEqual(readConfigFile(path), { entryFormat: 'kafka', brokerServicePort: '0' })
  assert.equal(environmentName('entryFormat'), 'KOP_ENTRY_FORMAT')
  assert.deepEqual(readEnvironment({ KOP_ENTRY_FORMAT: 'kafka', OTHER: 'x' }), { entryFormat: 'kafka' })
})

test('a file that is not there is refused by its name', () => {
  assert.throws(() => readConfigFile('/no/such/file'), /--config \/no\/such\/file: cannot be read \(ENOENT\)/)
})

test('settings that contradict one another, or that no timer can keep, are refused', () => {
  assert.match(refusal({ kafkaListeners: 'A://h:1,A://h:2' }), /^kafkaListeners: A is named twice/)
  assert.match(refusal({ kafkaAdvertisedListeners: 'OUTSIDE://h:1' }), /no listener is called OUTSIDE/)
  assert.match(refusal({ listeners: 'localhost' }), /^kafkaListeners=localhost: /)
  assert.match(refusal({ connectionMaxIdleMs: '2147483648' }), /^connectionMaxIdleMs=2147483648: /)
  assert.match(refusal({ keepAliveIntervalSeconds: '2147484' }), /^keepAliveIntervalSeconds=2147484: /)
  assert.match(refusal({ brokerId: '2147483648' }), /^brokerId=2147483648: /)
})

const tls = { tlsCertificateFilePath: 'cert.pem', tlsKeyFilePath: 'key.pem' }
const sasl = { kafkaListeners: 'SASL_PLAINTEXT://127.0.0.1:0' }

test('a listener speaks what its name says, or what kafkaProtocolMap says', () => {
  const config = parseConfig({
    ...tls,
    kafkaListeners: 'PLAINTEXT://h:1,SASL_SSL://h:2,INSIDE://h:3,OUTSIDE://h:4',
    kafkaProtocolMap: 'OUTSIDE:SSL',
  })
  const spoken = config.kafkaListeners.map(({ name }) => protocolOf(config, name))
  assert.deepEqual(spoken, ['PLAINTEXT', 'SASL_SSL', 'PLAINTEXT', 'SSL'])
})

test('settings of security that contradict one another are refused in one line', () => {
  const secured = { authenticationEnabled: 'true', tokenSecretKey: 'x', ...sasl }
  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ authorizationEnabled: 'true' }, /^authorizationEnabled=true: .*authenticationEnabled/],
    [{ authenticationEnabled: 'true', ...sasl }, /^authenticationEnabled=true: .*tokenSecretKey/],
    [
      { ...secured, kafkaListeners: 'PLAINTEXT://h:1' },
      /^authenticationEnabled=true: listener PLAINTEXT .*SASL_/,
    ],
    [{ kafkaListeners: 'SASL_SSL://h:1' }, /^kafkaListeners: SASL_SSL: TLS needs tlsCertificateFilePath/],
    [{ brokerServicePortTls: '0' }, /^brokerServicePortTls: TLS needs/],
    [{ webServicePortTls: '0' }, /^webServicePortTls: TLS needs/],
    [{ tlsKeyFilePath: 'key.pem' }, /belong together/],
    [{ ...tls, tlsRequireTrustedClientCertOnConnect: 'true' }, /^tlsRequireTrusted.*tlsTrustCertsFilePath/],
    [{ kafkaProtocolMap: 'OTHER:SSL' }, /^kafkaProtocolMap: no listener is called OTHER/],
    [{ kafkaProtocolMap: 'PLAINTEXT:TLS' }, /^kafkaProtocolMap=PLAINTEXT:TLS: .*SASL_SSL/],
    [{ saslAllowedMechanisms: 'PLAIN,GSSAPI' }, /^saslAllowedMechanisms=PLAIN,GSSAPI: .*SCRAM-SHA-512/],
  ]
  for (const [given, message] of wrong) {
    assert.match(refusal(given), message)
    assert.ok(!refusal(given).includes('\n'))
  }
  assert.deepEqual(parseConfig({ ...secured, superUserRoles: 'root, admin' }).superUserRoles, [
    'root',
    'admin',
  ])
})

test('a wrong secret is refused by its name, and not told', () => {
  assert.match(refusal({ tokenSecretKey: '' }), /^tokenSecretKey: /)
  const path = join(mkdtempSync(join(tmpdir(), 'kop-config-')), 'broker.properties')
  writeFileSync(path, 'tokenSecretKey=hunter2\nentryFormat=none\n')
  assert.ok(!refusal(readConfigFile(path)).includes('hunter2'))
})
