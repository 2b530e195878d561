import { Then, When } from '@cucumber/cucumber'
import { readByKafka } from './consume.js'
import { sendByKafka } from './produce.js'
import { base64 } from './records.js'
import { same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* The Pulsar–Kafka wrapper computes offsets in the client, out of Pulsar's message ids: what it says was not asked of the
 * target's Kafka side. */

interface Placed {
  readonly offset: string
  readonly value: string | null
}

const lineOf = ({ offset, value }: Placed): string => `${value} at ${offset}`

async function readByWrapper(world: ConformanceWorld, count: number): Promise<Placed[]> {
  const wrapper = await world.wrapper()
  const group = world.newName('-wrapper')
  const { records } = await wrapper.call('consume', { topic: world.pulsarTopic(), group, count })
  return records
}

/** The wrapper takes a message's key for base64, as its own producer writes it: any other is an error to it. */
When(
  'a Kafka producer sends {int} records without a key one by one',
  async function (this: ConformanceWorld, count: number) {
    const values = Array.from({ length: count }, () => base64(this.random.text(12)))
    const records = values.map((value) => ({ partition: 0, key: null, value }))
    await sendByKafka(this, records, { oneBatch: false })
  },
)

When('the wrapper sends {int} records', async function (this: ConformanceWorld, count: number) {
  const values = Array.from({ length: count }, () => base64(this.random.text(12)))
  const wrapper = await this.wrapper()
  const { offsets } = await wrapper.call('produce', { topic: this.pulsarTopic(), values })
  same('acknowledgements', count, offsets.length)
  this.notes.set(
    'told to the wrapper',
    values.map((value, index) => ({ value, offset: offsets[index] ?? '' })),
  )
})

Then('Kafka reads them at the offsets that the wrapper was told', async function (this: ConformanceWorld) {
  const told = this.note<Placed[]>('told to the wrapper')
  const seen = await readByKafka(this)
  sameList('records', told.map(lineOf), seen.map(lineOf))
})

Then('the wrapper reads all of it at the offsets that Kafka does', async function (this: ConformanceWorld) {
  const byKafka = await readByKafka(this)
  const byWrapper = await readByWrapper(this, byKafka.length)
  sameList('records', byKafka.map(lineOf), byWrapper.map(lineOf))
})

Then('the wrapper finds each record at its Kafka offset', async function (this: ConformanceWorld) {
  const wrapper = await this.wrapper()
  const topic = this.pulsarTopic()
  for (const { offset, value } of await readByKafka(this)) {
    const group = this.newName('-wrapper')
    const at = { topic, group, partition: 0, offset, count: 1 }
    const { records } = await wrapper.call('consumeFrom', at)
    sameList(`the record at ${offset}`, [lineOf({ offset, value })], records.map(lineOf))
  }
})
