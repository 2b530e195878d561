import {
  After,
  AfterAll,
  Before,
  Status,
  setDefaultTimeout,
  setDefinitionFunctionWrapper,
} from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import type { Power } from '../matrix/targets/types.js'
import { forgetLater, removeTopics } from './clean-up.js'
import { giveBack } from './instances.js'
import { endOfJob } from './lifetime.js'
import { Mismatch } from './verify.js'
import { ConformanceWorld } from './world.js'

const VERDICT = 'application/vnd.kop-conformance.verdict+json'
const FAILURE = 'application/vnd.kop-conformance.failure+json'
const REQUIREMENT = /^@([A-Z]{2}-\d+)$/

// Longer than any driver call: a call that hangs is ended, and named, by the driver's own time-out.
setDefaultTimeout(90_000)

/** Every step: what the client or the target cannot do is a verdict of its own, and a mismatch is told in two halves. */
setDefinitionFunctionWrapper((step: (...args: unknown[]) => unknown) => {
  return async function (this: unknown, ...args: unknown[]) {
    try {
      return await step.apply(this, args)
    } catch (error) {
      if (!(this instanceof ConformanceWorld)) throw error
      if (error instanceof Unsupported) return declineScenario(this, error.reason)
      if (error instanceof Mismatch) {
        const { expected, seen } = error
        this.attach(JSON.stringify({ expected, seen, requirement: this.notes.get('requirement') }), FAILURE)
      }
      throw error
    }
  }
})

function declineScenario(world: ConformanceWorld, reason: string): 'skipped' {
  world.attach(JSON.stringify({ verdict: 'unsupported', reason }), VERDICT)
  return 'skipped'
}

Before(function (this: ConformanceWorld, { pickle }) {
  this.begin(`${pickle.uri}:${pickle.name}:${pickle.astNodeIds.length > 1 ? pickle.location?.line : ''}`)
  const tags = pickle.tags.map(({ name }) => name)
  const requirements = tags.flatMap((tag) => REQUIREMENT.exec(tag)?.[1] ?? [])
  this.notes.set('requirement', requirements[0])
  const { powers, profile, kind } = this.parameters.target
  for (const requirement of requirements) {
    const declined = profile.declines[requirement]
    if (declined !== undefined) throw new Unsupported(declined)
  }
  for (const tag of tags.filter((name) => name.startsWith('@power-'))) {
    const power = tag.slice('@power-'.length) as Power
    if (!powers.includes(power)) throw new Unsupported(`the target ${kind} gives no power to ${power}`)
  }
})

After(async function (this: ConformanceWorld, { result }) {
  if (result?.status === Status.FAILED) {
    const logs = [...this.drivers].map((driver) => driver.logTail()).filter((text) => text !== '')
    if (logs.length > 0) this.attach(logs.join('\n').slice(-16_384), 'text/x.client-log+plain')
    if (this.hasInstance) {
      this.attach(await this.instance.logTail().catch(() => ''), 'text/x.target-log+plain')
    }
  }
  await this.giveBackDrivers(result?.status === Status.PASSED)
  if (this.hasInstance) await giveBack(this.instance, result?.status === Status.PASSED)
  else forgetLater(this)
})

AfterAll(async () => {
  await removeTopics()
  await endOfJob()
})
