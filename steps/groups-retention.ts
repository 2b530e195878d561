import { Given, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import { type Commit, commitRaw, fetchCommitted } from './groups-offset-requests.js'
import { groupOf, heartbeat, member } from './groups-requests.js'
import { errorName } from './requests.js'
import { Mismatch, same } from './verify.js'
import type { ConformanceWorld } from './world.js'

/** Real brokers look for old commits now and then only. */
const DROPPED_WITHIN_MS = 15_000

const place = (world: ConformanceWorld, offset: number): Commit => ({
  topic: world.topic().name,
  partition: 0,
  offset: String(offset),
})

async function committed(world: ConformanceWorld, group: string): Promise<string | undefined> {
  const [seen] = await fetchCommitted(world, group, [{ topic: world.topic().name, partition: 0 }])
  return seen?.offset
}

async function dropped(world: ConformanceWorld, group: string): Promise<void> {
  const deadline = Date.now() + DROPPED_WITHIN_MS
  for (;;) {
    const seen = await committed(world, group)
    if (seen === '-1') return
    if (Date.now() > deadline) throw new Mismatch(`the commit of ${group}`, 'dropped (−1)', seen)
  }
}

Given('a target that looks for old commits often', function (this: ConformanceWorld) {
  const fact = this.fact('GC-10') as { checkIntervalMs?: number } | undefined
  const everyMs = fact?.checkIntervalMs ?? Number.POSITIVE_INFINITY
  if (everyMs > DROPPED_WITHIN_MS / 2) {
    throw new Unsupported('the profile does not say that the target looks for old commits every few seconds')
  }
})

When(
  /^"(\w+)" commits offset (\d+) in version (\d+), to be kept for (\d+) ms$/,
  async function (
    this: ConformanceWorld,
    name: string,
    offset: number,
    version: number,
    retentionMs: number,
  ) {
    const as = member(this, name)
    const [error = 0] = await commitRaw(this, as.group, [place(this, offset)], { as, version, retentionMs })
    same('the error of the commit', 'NONE', await errorName(this, error))
    this.notes.set('asked for', { offset, version, retentionMs })
  },
)

When('a group without members does the same', async function (this: ConformanceWorld) {
  const { offset, ...options } = this.note<{ offset: number; version: number; retentionMs: number }>(
    'asked for',
  )
  await commitAlone(this, 'dropped group', offset, options)
})

When('a group without members commits offset {int}', async function (this: ConformanceWorld, offset: number) {
  await commitAlone(this, 'dropped group', offset, {})
})

When(
  'the group commits again and again until the commit of the group without members is dropped',
  async function (this: ConformanceWorld) {
    const other = this.note<string>('dropped group')
    const deadline = Date.now() + DROPPED_WITHIN_MS
    for (let offset = 1; ; offset++) {
      const [error = 0] = await commitRaw(this, groupOf(this), [place(this, offset)])
      same('the error of the commit', 'NONE', await errorName(this, error))
      this.notes.set('last offset', offset)
      const seen = await committed(this, other)
      if (seen === '-1') return
      if (Date.now() > deadline) throw new Mismatch(`the commit of ${other}`, 'dropped (−1)', seen)
    }
  },
)

Then('what the group has committed last is still there', async function (this: ConformanceWorld) {
  const seen = await committed(this, groupOf(this))
  same('the offset', String(this.note<number>('last offset')), seen)
})

When(
  'a group without members commits offset {int} to be kept as long as usual',
  async function (this: ConformanceWorld, offset: number) {
    await commitAlone(this, 'kept group', offset, {})
  },
)

When(
  'the group commits partition 1 to be kept as long as usual, and partition 0 to be kept for 1 ms',
  async function (this: ConformanceWorld) {
    const kept = { ...place(this, 8), partition: 1 }
    const errors = [
      ...(await commitRaw(this, groupOf(this), [kept])),
      ...(await commitRaw(this, groupOf(this), [place(this, 3)], { version: 4, retentionMs: 1 })),
    ]
    for (const error of errors) same('the error of the commit', 'NONE', await errorName(this, error))
  },
)

Then(
  'its commit of partition 0 is dropped, and that of partition 1 is still there',
  async function (this: ConformanceWorld) {
    await dropped(this, groupOf(this))
    const topic = this.topic().name
    const [seen] = await fetchCommitted(this, groupOf(this), [{ topic, partition: 1 }])
    same('the offset of partition 1', '8', seen?.offset)
  },
)

/** A commit that is over at once is gone: so the target has looked. */
When('the target has looked for old commits once more', async function (this: ConformanceWorld) {
  await commitAlone(this, 'group to look for', 1, { version: 4, retentionMs: 1 })
  await dropped(this, this.note<string>('group to look for'))
})

async function commitAlone(
  world: ConformanceWorld,
  note: string,
  offset: number,
  options: { version?: number; retentionMs?: number },
): Promise<void> {
  const group = world.newName('-alone')
  world.notes.set(note, group)
  const [error = 0] = await commitRaw(world, group, [place(world, offset)], options)
  same('the error of the commit', 'NONE', await errorName(world, error))
}

Then('the commit of the group without members is dropped', async function (this: ConformanceWorld) {
  await dropped(this, this.note<string>('dropped group'))
})

Then('what the group has committed is dropped', async function (this: ConformanceWorld) {
  await dropped(this, groupOf(this))
})

Then(
  'the commit of {string} is still there, and so is the one to be kept',
  async function (this: ConformanceWorld, name: string) {
    const { group } = member(this, name)
    const error = await heartbeat(this, member(this, name))
    same(`the heartbeat of ${name}`, 'NONE', await errorName(this, error))
    same('what the group with members has committed', '3', await committed(this, group))
    same('what is to be kept', '5', await committed(this, this.note<string>('kept group')))
  },
)
