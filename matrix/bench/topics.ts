import { loadClients, provisionClient } from '../clients/index.js'
import { kafkaDriver, startDriver } from '../driver/process.js'

/** Makes a topic, by the kafkajs driver. @throws Error when it cannot be had, or the broker refuses */
export async function createTopic(address: string, topic: string, partitions = 1): Promise<void> {
  const spec = loadClients().find(({ name }) => name === 'kafkajs')
  const version = spec?.versions.at(-1)
  if (spec === undefined || version === undefined) throw new Error('matrix/clients has no kafkajs')
  const client = await provisionClient(spec, version, {})
  if ('reason' in client) throw new Error(`kafkajs: ${client.reason}; ${client.remedy}`)
  const driver = await startDriver(client)
  try {
    const kafka = kafkaDriver(driver)
    await kafka.call('configure', { bootstrap: address, clientId: 'kop-conformance-bench' })
    const { topics } = await kafka.call('createTopics', { topics: [{ name: topic, partitions }] })
    const error = topics[0]?.error
    if (error !== undefined) throw new Error(`creating topic ${topic}: ${error}`)
  } finally {
    await driver.close()
  }
}
