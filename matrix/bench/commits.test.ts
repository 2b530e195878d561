import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { after, test } from 'node:test'
import { CommitConnection } from './commit-client.js'
import { lagIn } from './measure-commits.js'
import { partsOf } from './plan.js'
import { quantile } from './statistics.js'

/** Answers every request with the correlation id and these bytes; keeps what came. */
async function serve(...answers: Buffer[]): Promise<{ port: number; requests: Buffer[] }> {
  const requests: Buffer[] = []
  const server = createServer((socket) => {
    socket.on('data', (request) => {
      requests.push(request)
      const answer = answers.shift()
      if (answer === undefined) return socket.destroy()
      const length = Buffer.alloc(4)
      length.writeInt32BE(4 + answer.length)
      const frame = Buffer.concat([length, request.subarray(8, 12), answer])
      // In two pieces, as a network may bring it.
      socket.write(frame.subarray(0, 7))
      setImmediate(() => socket.write(frame.subarray(7)))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  return { port: (server.address() as AddressInfo).port, requests }
}

test('a commit is an OffsetCommit of version 2 of its group, topic, partition and offset', async () => {
  // One topic "t" with one partition, 3, and its error.
  const answer = Buffer.from('00000001' + '000174' + '00000001' + '00000003' + '0019', 'hex')
  const { port, requests } = await serve(answer)
  const connection = await CommitConnection.open(port)
  assert.equal(await connection.commit('g', 't', 3, 258), 25)
  connection.close()
  const body = requests[0]?.subarray(4).toString('hex') ?? ''
  assert.ok(body.startsWith('00080002'), body)
  const rest = '000167' + 'ffffffff' + '0000' + 'ffffffffffffffff' + '00000001' + '000174' + '00000001'
  assert.ok(body.endsWith(`${rest}00000003${'0000000000000102'}0000`), body)
  assert.equal(requests[0]?.readInt32BE(0), (requests[0]?.length ?? 0) - 4)
})

test('a connection that the broker closes fails the request under way', async () => {
  const { port } = await serve()
  const connection = await CommitConnection.open(port)
  await assert.rejects(connection.findCoordinator('g'), /closed the connection/)
})

test('quantiles are of the sorted samples', () => {
  assert.equal(quantile([5, 1, 3], 0.5), 3)
  assert.equal(quantile([5, 1, 3], 0.99), 5)
  assert.equal(quantile([2], 1), 2)
  assert.ok(Number.isNaN(quantile([], 0.5)))
})

test('parts are all without a name, and a wrong name is told', () => {
  assert.deepEqual(partsOf([]), ['records', 'commits'])
  assert.deepEqual(partsOf(['commits']), ['commits'])
  assert.throws(() => partsOf(['commit']), /--parts commit: give records or commits/)
})

test('the lag is read from the metrics, and missed when they do not tell it', () => {
  assert.equal(lagIn('# HELP x\nkop_cursor_sync_lag_seconds 0.25\nother 7'), 0.25)
  assert.throws(() => lagIn('other 7'), /no lag/)
})
