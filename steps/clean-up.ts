import type { ConformanceWorld } from './world.js'

/** Topics of scenarios that have ended, to be deleted together: scenarios do not wait for it. */
let ended: ConformanceWorld[] = []

export function forgetLater(world: ConformanceWorld): void {
  if (world.topics.length > 0) ended.push(world)
}

/** What cannot be deleted is the target's to keep: names carry the run's id. */
export async function removeTopics(): Promise<void> {
  const worlds = ended
  ended = []
  const [first] = worlds
  if (first === undefined) return
  const { kafka, admin } = first.endpoints
  if (admin !== undefined) await removeByAdmin(worlds).catch(() => {})
  else if (kafka !== undefined) await removeByKafka(first, worlds).catch(() => {})
}

async function removeByAdmin(worlds: readonly ConformanceWorld[]): Promise<void> {
  const deletions = worlds.flatMap((world) =>
    world.topics.map((topic) => () => world.admin.delete(world.pulsarTopic(topic), topic.partitions > 0)),
  )
  const worker = async () => {
    for (let next = deletions.pop(); next !== undefined; next = deletions.pop()) await next().catch(() => {})
  }
  await Promise.all([worker(), worker(), worker(), worker()])
}

async function removeByKafka(first: ConformanceWorld, worlds: readonly ConformanceWorld[]): Promise<void> {
  const names = worlds.flatMap(({ topics }) => topics.map(({ name }) => name))
  if (first.parameters.raw === undefined) {
    await (await first.kafka()).call('deleteTopics', { names })
    return
  }
  const body = { topicNames: names, topics: names.map((name) => ({ name })), timeoutMs: 5000 }
  await (await first.raw()).call('request', { api: 'DeleteTopics', body })
}
