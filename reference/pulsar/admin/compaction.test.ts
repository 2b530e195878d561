import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { compacted, writePulsar } from '../../topics/compaction/testing.js'
import { openPartition } from '../../topics/testing.js'
import { topicCompaction } from '../../topics/topic-compaction.js'
import { lastMessageIdOf } from '../commands/get-last-message-id.js'
import { TestAdmin } from './testing.js'

const admin = await TestAdmin.start()
Object.assign(admin.context, { compaction: topicCompaction })
after(() => admin.stop())

const pathOf = (local: string) => `/admin/v2/persistent/public/default/${local}-partition-0`

test('a tool compacts a topic, asks how it went, and sees the compacted ledger', async () => {
  const log = await openPartition(admin.catalog, 'tool')
  const path = pathOf('tool')
  const compactedLedger = async () =>
    ((await admin.read(`${path}/internalStats`)) as { compactedLedger: object }).compactedLedger
  const none = { ledgerId: -1, entries: -1, size: -1, offloaded: false, underReplicated: false }
  assert.deepEqual(await compactedLedger(), none)
  for (const value of ['1', '2', '3']) await writePulsar(log, [{ key: 'a', value }])
  await writePulsar(log, [{ key: 'b', value: '4' }])
  assert.equal(await admin.status('PUT', `${path}/compaction`), 204)
  await log.compaction?.idle()
  assert.deepEqual(await admin.read(`${path}/compaction`), { status: 'SUCCESS', lastError: '' })
  const { entries, ledgerId } = { entries: 0, ledgerId: 0, ...(await compactedLedger()) }
  assert.equal(entries, 2)
  assert.notEqual(ledgerId, log.ledger.ledgers()[0]?.ledgerId)
  const { compaction } = (await admin.read(`${path}/stats`)) as {
    compaction: { lastCompactionRemovedEventCount: number; lastCompactionSucceedTimestamp: number }
  }
  assert.equal(compaction.lastCompactionRemovedEventCount, 2)
  assert.equal(compaction.lastCompactionSucceedTimestamp, admin.clock.nowMs())
})

test('a second compaction beside one that runs is refused', async () => {
  const log = await openPartition(admin.catalog, 'twice')
  const busy = { ...topicCompaction, start: () => false }
  Object.assign(admin.context, { compaction: busy })
  await writePulsar(log, [{ key: 'a', value: '1' }])
  assert.equal(await admin.status('PUT', `${pathOf('twice')}/compaction`), 409)
  Object.assign(admin.context, { compaction: topicCompaction })
})

test('who reads compacted is told the last message that is left, not the last of the log', async () => {
  const log = await openPartition(admin.catalog, 'last')
  await writePulsar(log, [
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
    { key: 'c', value: '3' },
  ])
  await writePulsar(log, [{ key: 'c', value: null }])
  await compacted(log)
  const { ledgerId } = log.ledger.start.position
  assert.deepEqual(await lastMessageIdOf(log, 'compacted'), { ledgerId, entryId: 0, batchIndex: 1 })
  assert.deepEqual(await lastMessageIdOf(log), { ledgerId, entryId: 1, batchIndex: 0 })
})
