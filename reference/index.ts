/**
 * The reference broker as a library, `kop-conformance/reference`:
 *
 *     const broker = await startBroker(parseConfig({ kafkaListeners: 'PLAINTEXT://127.0.0.1:0', dataDirectory: 'data' }))
 *     broker.endpoints.kafka // 127.0.0.1:PORT
 *     await broker.stop()
 */
export { type Broker, type BrokerEndpoints, startBroker } from './broker.js'
export { type Config, ConfigError, parseConfig } from './config.js'
