import { type Driver, wrapperDriver } from '../driver/process.js'
import { askRest } from '../rest.js'
import type { SmokeRun } from './smoke-run.js'

const VALUES = ['b25l', 'dHdv', 'dGhyZWU=']

/** Every op of a driver of the Pulsar–Kafka wrapper. */
export async function smokeWrapper(
  run: SmokeRun,
  driver: Driver,
  { pulsar, admin }: { pulsar: string; admin: string },
): Promise<void> {
  const wrapper = wrapperDriver(driver)
  const topic = `persistent://public/default/smoke-${run.id}`
  // It cannot seek in a topic without partitions.
  const path = `/admin/v2/persistent/public/default/smoke-${run.id}/partitions`
  await askRest(admin, { method: 'PUT', path, body: 2 })
  let told: string[] = []
  await run.check('configure', () => wrapper.call('configure', { serviceUrl: pulsar }))
  await run.check('produce', async () => {
    told = (await wrapper.call('produce', { topic, values: VALUES })).offsets
    run.true(new Set(told).size === VALUES.length, `offsets are not distinct: ${told}`)
  })
  const expected = () => VALUES.map((value, index) => ({ partition: 0, offset: told[index], value }))
  await run.check('consume', async () => {
    const { records } = await wrapper.call('consume', { topic, group: 'all', count: VALUES.length })
    run.equal(records, expected())
  })
  await run.check('consumeFrom', async () => {
    const at = { topic, group: 'some', partition: 0, offset: told[1] ?? '', count: 2 }
    const { records } = await wrapper.call('consumeFrom', at)
    run.equal(records, expected().slice(1))
  })
}
