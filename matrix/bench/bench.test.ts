import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { answers, untilAnswers } from './answers.js'
import { javaVersion } from './machine.js'
import { cellName, cellsOf, schedule } from './plan.js'
import { parseUsage, usageOf } from './process-usage.js'
import { behindLines, benchTables, formatComparison, formatSpread } from './report.js'
import { type CellResult, figuresOf, ratiosOf } from './results.js'
import { compare, spreadOf } from './statistics.js'

const names = (only: readonly string[]) => cellsOf(only).map(cellName)

test('without --only every system meets every flush policy', () => {
  assert.deepEqual(names([]), [
    'kafka/os',
    'reference-pulsar/os',
    'reference-kafka/os',
    'kafka/sync',
    'reference-pulsar/sync',
    'reference-kafka/sync',
  ])
})

test('--only narrows systems and policies, each alone', () => {
  assert.deepEqual(names(['sync']), ['kafka/sync', 'reference-pulsar/sync', 'reference-kafka/sync'])
  assert.deepEqual(names(['kafka', 'os']), ['kafka/os'])
})

test('--only with a wrong name says which was meant', () => {
  assert.throws(
    () => cellsOf(['reference-pulser']),
    /--only reference-pulser: did you mean reference-pulsar\?/,
  )
})

test('each round runs every cell once, every other one backwards', () => {
  const cells = cellsOf(['os'])
  const order = schedule(cells, 2).map(({ round, cell }) => `${round} ${cell.system}`)
  assert.deepEqual(order, [
    '0 kafka',
    '0 reference-pulsar',
    '0 reference-kafka',
    '1 reference-kafka',
    '1 reference-pulsar',
    '1 kafka',
  ])
})

const STATUS = 'Name:\tnode\nVmHWM:\t  300000 kB\nVmRSS:\t  200000 kB\nRssAnon:\t  150000 kB\n'

test("a process's name with spaces and parentheses does not shift its CPU time", () => {
  const stat = `42 (a) odd (name) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 7 7 20 0 11 0 12345 1000 100`
  assert.deepEqual(parseUsage(stat, STATUS), {
    cpuSeconds: 3,
    residentBytes: 200_000 * 1024,
    anonymousBytes: 150_000 * 1024,
    residentPeakBytes: 300_000 * 1024,
  })
})

test('a status without the memory lines is refused', () => {
  assert.throws(() => parseUsage('1 (x) S 1', 'Name:\tx\n'), /has no VmRSS/)
})

test('our own usage is plausible', { skip: process.platform !== 'linux' }, async () => {
  const usage = await usageOf(process.pid)
  assert.ok(usage)
  const { user, system } = process.cpuUsage()
  assert.ok(Math.abs(usage.cpuSeconds - (user + system) / 1e6) < 0.5)
  assert.ok(usage.residentPeakBytes >= usage.residentBytes)
})

async function listening(answer: (socket: Socket, data: Buffer) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => answer(socket, data))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

test('a broker answers when a response with our correlation id and no error comes', async () => {
  const { server, port } = await listening((socket, data) => {
    assert.equal(data.readInt32BE(0), data.length - 4)
    assert.equal(data.readInt16BE(4), 18)
    const response = Buffer.alloc(14)
    response.writeInt32BE(10, 0)
    response.writeInt32BE(data.readInt32BE(8), 4)
    socket.write(response)
  })
  assert.equal(await answers(port), true)
  server.close()
})

test('a listener that hangs up, or answers an error, is no broker yet', async () => {
  const hangsUp = await listening((socket) => socket.destroy())
  assert.equal(await answers(hangsUp.port), false)
  hangsUp.server.close()
  const refuses = await listening((socket) => socket.write(Buffer.from([0, 0, 0, 6, 0, 0, 0, 7, 0, 35])))
  assert.equal(await answers(refuses.port), false)
  refuses.server.close()
})

test('waiting for a broker ends at once when the broker has', async () => {
  const { server, port } = await listening((socket) => socket.destroy())
  const check = () => {
    throw new Error('kafka ended (code 1)')
  }
  await assert.rejects(untilAnswers(port, { timeoutMs: 60_000, check }), /kafka ended \(code 1\)/)
  server.close()
})

const RESULTS: CellResult[] = [
  {
    cell: { system: 'kafka', policy: 'os' },
    samples: [
      { startMs: 4000, producePerSecond: 300_000 },
      { startMs: 5000, producePerSecond: 100_000 },
      { startMs: 3000, producePerSecond: 400_000 },
    ],
    failures: [],
  },
  {
    cell: { system: 'reference-pulsar', policy: 'os' },
    samples: [{ startMs: 500, producePerSecond: 150_000 }],
    failures: ['ConsumerPerformance failed: no'],
  },
  { cell: { system: 'reference-kafka', policy: 'sync' }, samples: [{ startMs: 400 }], failures: [] },
]

test('ratios are of medians, and only within one flush policy', () => {
  const ratios = ratiosOf(RESULTS)
  assert.deepEqual(ratios, [
    {
      system: 'reference-pulsar',
      policy: 'os',
      figures: {
        startMs: { ratio: 0.125, advantage: 8, standing: 'ahead' },
        producePerSecond: { ratio: 0.5, advantage: 0.5, standing: 'behind' },
      },
    },
  ])
})

test('a figure that was measured in some rounds only has the samples of those', () => {
  const figures = figuresOf({ ...RESULTS[0], samples: [{ startMs: 1 }, {}] } as CellResult)
  assert.deepEqual(figures.startMs?.samples, [1])
  assert.equal(figures.producePerSecond, undefined)
})

test('the tables show medians, how each stands, and what failed', () => {
  const text = benchTables(RESULTS)
  assert.match(text, /300,000 \(100,000–400,000\)/)
  assert.match(text, /8\.00× ahead/)
  assert.match(text, /0\.50× behind/)
  assert.match(text, /reference-pulsar\/os failed: ConsumerPerformance failed: no/)
  assert.ok(!text.includes('consume (records/s)'), 'what nobody measured has no row')
})

test('a system of which nothing is known yet has no column, and a policy without systems no table', () => {
  const nothing: CellResult = {
    cell: { system: 'reference-kafka', policy: 'os' },
    samples: [],
    failures: [],
  }
  assert.ok(!benchTables([...RESULTS.slice(0, 2), nothing]).includes('reference-kafka'))
  assert.equal(benchTables([nothing]), '')
})

test('what Kafka is ahead in is told in lines', () => {
  assert.deepEqual(behindLines(RESULTS), ['reference-pulsar/os: produce 0.50× behind'])
})

test('one sample has no extremes', () => {
  const spread = spreadOf([1234.5])
  assert.ok(spread)
  assert.equal(formatSpread(spread, 0), '1,235')
})

test('a comparison that divides nothing is told by a word', () => {
  assert.equal(formatComparison(compare(0, 3, 'lower')), 'behind')
  assert.equal(formatComparison(compare(0, 0, 'lower')), 'even')
})

test("Java's version is found in what it says", () => {
  assert.equal(javaVersion('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime'), '17.0.15')
  assert.equal(javaVersion('nothing of the kind'), 'unknown')
})
