import type { Driver } from '../driver/process.js'
import type { SmokeRun } from './smoke.js'

export async function smokePulsar(run: SmokeRun, driver: Driver, serviceUrl: string): Promise<void> {
  await run.check('configure', () => driver.call('configure', { serviceUrl }))
}
