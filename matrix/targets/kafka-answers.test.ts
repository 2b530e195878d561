import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { int16, int32, kafkaString } from '../kafka-bytes.js'
import { askMetadata } from './kafka-answers.js'

/** A broker that answers every request with the same frame; null: it closes. */
async function answering(body: Buffer | null): Promise<{ port: number; close: () => void }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => (body === null ? socket.destroy() : socket.write(body)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

const broker = Buffer.concat([int32(1), kafkaString('127.0.0.1'), int32(9092), kafkaString('rack')])
const partition = (errorCode: number, leader: number) =>
  Buffer.concat([int16(errorCode), int32(0), int32(leader), int32(1), int32(1), int32(1), int32(1)])
const topic = (name: string, partitions: readonly Buffer[]) =>
  Buffer.concat([int16(0), kafkaString(name), Buffer.of(0), int32(partitions.length), ...partitions])

function metadata(brokers: readonly Buffer[], topics: readonly Buffer[]): Buffer {
  const parts = [int32(1), int32(brokers.length), ...brokers, int32(1), int32(topics.length), ...topics]
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length), body])
}

test('a broker tells of itself, and of how many partitions have a leader', async () => {
  const topics = [
    topic('a', [partition(0, 1), partition(5, -1)]),
    topic('none', []),
    topic('b', [partition(0, 1)]),
  ]
  const { port, close } = await answering(metadata([broker], topics))
  assert.deepEqual(await askMetadata(port), { brokers: 1, led: 2 })
  close()
})

test('one that has no broker yet, closes, or is not there, does not serve', async () => {
  const early = await answering(metadata([], []))
  assert.deepEqual(await askMetadata(early.port), { brokers: 0, led: 0 })
  early.close()
  const closing = await answering(null)
  assert.equal(await askMetadata(closing.port), null)
  closing.close()
  assert.equal(await askMetadata(1), null)
})
