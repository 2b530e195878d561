import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../base/clock.js'
import { type FetchPartition, type FetchSessionRequest, FetchSessions } from './fetch-sessions.js'

const partition = (index: number): FetchPartition => ({
  topic: 't',
  topicId: '',
  partition: index,
  currentLeaderEpoch: -1,
  fetchOffset: 0n,
  partitionBytesMax: 100,
})
const open = (...indexes: number[]): FetchSessionRequest => ({
  owner: 'public/default/me',
  sessionId: 0,
  sessionEpoch: 0,
  usesTopicIds: false,
  partitions: indexes.map(partition),
  forgotten: [],
})
const fetched = (part: object = {}) => ({
  error: false,
  bytes: 0,
  highWatermark: 0n,
  logStartOffset: 0n,
  ...part,
})

test('a session is only its own client’s: others neither go on with it nor close it', () => {
  const sessions = new FetchSessions(new ManualClock(), 2)
  const { sessionId } = sessions.begin(open(0))
  const others = { ...open(), owner: 'public/default/other', sessionId }
  assert.equal(sessions.begin({ ...others, sessionEpoch: 1 }).error, 'FETCH_SESSION_ID_NOT_FOUND')
  assert.equal(sessions.begin({ ...others, sessionEpoch: -1 }).error, null)
  assert.equal(sessions.size, 1)
  const mine = sessions.begin({ ...open(), sessionId, sessionEpoch: 1 })
  assert.deepEqual([mine.error, mine.partitions.length], [null, 1])
})

test('the cache is bounded: who gets no place goes on without, until an idle one is given up', () => {
  const clock = new ManualClock()
  const sessions = new FetchSessions(clock, 2)
  const ids = [sessions.begin(open(0)), sessions.begin(open(0))].map((turn) => turn.sessionId)
  assert.ok(ids.every((id) => id > 0))
  assert.equal(sessions.begin(open(0)).sessionId, 0)
  clock.advance(100_000)
  const [first = 0] = ids
  sessions.begin({ ...open(), sessionId: first, sessionEpoch: 1 })
  clock.advance(20_000)
  assert.ok(sessions.begin(open(0)).sessionId > 0)
  assert.equal(sessions.size, 2)
  assert.equal(sessions.begin({ ...open(), sessionId: first, sessionEpoch: 2 }).error, null)
})

test('whoever had data goes to the end of the order', () => {
  const sessions = new FetchSessions(new ManualClock(), 10)
  const turn = sessions.begin(open(0, 1, 2))
  turn.isToldOf(partition(0), fetched({ bytes: 5 }))
  const next = sessions.begin({ ...open(), sessionId: turn.sessionId, sessionEpoch: 1 })
  assert.deepEqual(
    next.partitions.map((each) => each.partition),
    [1, 2, 0],
  )
})

test('a moved log start and an error are news each time they are', () => {
  const sessions = new FetchSessions(new ManualClock(), 10)
  const turn = sessions.begin(open(0))
  turn.isToldOf(partition(0), fetched())
  const next = sessions.begin({ ...open(), sessionId: turn.sessionId, sessionEpoch: 1 })
  assert.equal(next.isToldOf(partition(0), fetched()), false)
  assert.equal(next.isToldOf(partition(0), fetched({ logStartOffset: 1n })), true)
  assert.equal(next.isToldOf(partition(0), fetched({ error: true })), true)
  assert.equal(next.isToldOf(partition(0), fetched({ error: true })), true)
  assert.equal(next.isToldOf(partition(0), fetched({ logStartOffset: 1n })), true)
})

test('a session keeps to names or to ids, and without partitions it ends', () => {
  const sessions = new FetchSessions(new ManualClock(), 10)
  const { sessionId } = sessions.begin(open(0))
  const mixed = sessions.begin({ ...open(), sessionId, sessionEpoch: 1, usesTopicIds: true })
  assert.equal(mixed.error, 'FETCH_SESSION_TOPIC_ID_ERROR')
  const emptied = sessions.begin({ ...open(), sessionId, sessionEpoch: 1, forgotten: [partition(0)] })
  assert.deepEqual([emptied.error, emptied.sessionId, sessions.size], [null, 0, 0])
})
