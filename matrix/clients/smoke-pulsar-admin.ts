import { type Driver, pulsarAdminDriver } from '../driver/process.js'
import type { SmokeRun } from './smoke-run.js'

export async function smokePulsarAdmin(
  run: SmokeRun,
  driver: Driver,
  _beside: Driver,
  { pulsar, admin }: { pulsar: string; admin: string },
): Promise<void> {
  const tool = pulsarAdminDriver(driver)
  await run.check('configure', () => tool.call('configure', { adminUrl: admin, serviceUrl: pulsar }))
}
