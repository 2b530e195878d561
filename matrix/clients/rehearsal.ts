import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ReadyClient } from './types.js'

/** A rehearsal that has no answer goes on no longer: nobody is at the address. */
const REHEARSAL_MS_MAX = 3_000
const NOBODY = '127.0.0.1:1'

interface Line {
  readonly op: string
  readonly args: Record<string, unknown>
}

const configure = (args: Record<string, unknown>): Line => ({ op: 'configure', args })
const topic = { topic: 'rehearsal' }
const pulsar = { serviceUrl: `pulsar://${NOBODY}` }

/** What loads the classes that every scenario needs, by the kind of the driver. */
export const rehearsals: Record<ReadyClient['kind'], readonly Line[]> = {
  kafka: [
    configure({ bootstrap: NOBODY, clientId: 'rehearsal' }),
    { op: 'createTopics', args: { topics: [{ name: 'rehearsal', partitions: 1, configs: {} }] } },
    { op: 'openMember', args: { member: 'one', group: 'rehearsal', topics: ['rehearsal'] } },
    { op: 'openConsumer', args: { consumer: 'one', ...topic, from: { offset: '0' } } },
    { op: 'produce', args: { ...topic, records: [{ key: null, value: 'dg==' }], timeoutMs: 1_000 } },
  ],
  pulsar: [
    configure(pulsar),
    { op: 'produce', args: { ...topic, messages: [{ value: 'dg==' }] } },
    { op: 'subscribe', args: { consumer: 'one', subscription: 'rehearsal', ...topic } },
    { op: 'openReader', args: { reader: 'one', ...topic } },
  ],
  raw: [],
  'pulsar-admin': [
    configure({ adminUrl: `http://${NOBODY}`, ...pulsar }),
    { op: 'listClusters', args: {} },
    { op: 'stats', args: topic },
  ],
  'pulsar-kafka-wrapper': [
    configure(pulsar),
    { op: 'produce', args: { ...topic, values: ['dg=='] } },
    { op: 'consume', args: { ...topic, group: 'rehearsal', count: 1 } },
  ],
  'kafka-admin': [configure({ bootstrap: NOBODY }), { op: 'listGroups', args: {} }],
}

/** Runs a driver through some lines, with answers or without, and ends it in order. */
export async function rehearse(
  command: readonly string[],
  lines: readonly Line[],
  signal?: AbortSignal,
): Promise<void> {
  const [program = '', ...args] = command
  const driver = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], signal })
  const ended = once(driver, 'close')
  // One that could not start has ended too.
  driver.stdin.on('error', () => {})
  const text = lines.map(({ op, args: of }, id) => `${JSON.stringify({ id, op, args: of })}\n`).join('')
  driver.stdin.write(text)
  const enough = setTimeout(() => driver.stdin.end(), REHEARSAL_MS_MAX)
  let left = lines.length + 1
  createInterface({ input: driver.stdout }).on('line', () => {
    left -= 1
    if (left === 0) driver.stdin.end()
  })
  try {
    await ended
  } finally {
    clearTimeout(enough)
  }
}
