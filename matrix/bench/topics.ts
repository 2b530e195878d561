import { Admin } from '@platformatic/kafka'

/** Makes a topic of one partition. @throws Error when the broker refuses */
export async function createTopic(address: string, topic: string): Promise<void> {
  const admin = new Admin({ clientId: 'kop-conformance-bench', bootstrapBrokers: [address], retries: 3 })
  try {
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
  } finally {
    await admin.close()
  }
}
