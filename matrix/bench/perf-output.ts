/** What ProducerPerformance tells when it ends. Latencies of a single record, from send to acknowledgement. */
export interface ProducerFigures {
  readonly records: number
  readonly recordsPerSecond: number
  readonly averageMs: number
  readonly maxMs: number
  /** Percentiles come as whole milliseconds: 0 is anything below one. */
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

const SUMMARY =
  /^(\d+) records sent, ([\d.,]+) records\/sec .*, ([\d.,]+) ms avg latency, ([\d.,]+) ms max latency, (\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th/m

/**
 * Reads the last line of ProducerPerformance; the lines before it are of five seconds each and carry no percentiles.
 * @throws Error when it did not get so far, or sent fewer records than it was asked to
 */
export function parseProducerPerformance(output: string, recordsExpected: number): ProducerFigures {
  const found = SUMMARY.exec(output)
  if (found === null) throw new Error(`ProducerPerformance told no summary: ${lastLine(output)}`)
  const numbers = found.slice(1).map(decimal)
  const [records = 0, recordsPerSecond = 0, averageMs = 0, maxMs = 0, p50Ms = 0, p95Ms = 0, p99Ms = 0] =
    numbers
  if (records !== recordsExpected) {
    throw new Error(`ProducerPerformance sent ${records} of ${recordsExpected} records: ${lastLine(output)}`)
  }
  return { records, recordsPerSecond, averageMs, maxMs, p50Ms, p95Ms, p99Ms }
}

/** What ConsumerPerformance tells when it ends. */
export interface ConsumerFigures {
  readonly records: number
  /** Over its whole time, joining the group included. */
  readonly recordsPerSecond: number
  readonly joinMs: number
  /** Over the time that is left when joining the group is taken off. */
  readonly fetchedRecordsPerSecond: number
}

const COLUMNS = {
  records: 'data.consumed.in.nMsg',
  recordsPerSecond: 'nMsg.sec',
  joinMs: 'rebalance.time.ms',
  fetchedRecordsPerSecond: 'fetch.nMsg.sec',
}

/**
 * Reads ConsumerPerformance's header and the line under it, by the names of the columns.
 * @throws Error when a column is missing, or fewer records came than were asked for
 */
export function parseConsumerPerformance(output: string, recordsExpected: number): ConsumerFigures {
  const lines = output.split('\n').map((line) => line.split(',').map((cell) => cell.trim()))
  const at = lines.findIndex((cells) => cells.includes(COLUMNS.records))
  const header = lines[at] ?? []
  const values = lines[at + 1] ?? []
  const column = (name: string): number => {
    const value = at === -1 ? undefined : values[header.indexOf(name)]
    if (value === undefined || value === '' || Number.isNaN(Number(value))) {
      throw new Error(`ConsumerPerformance told no ${name}: ${lastLine(output)}`)
    }
    return Number(value)
  }
  const records = column(COLUMNS.records)
  if (records < recordsExpected) {
    throw new Error(`ConsumerPerformance read ${records} of ${recordsExpected} records: ${lastLine(output)}`)
  }
  return {
    records,
    recordsPerSecond: column(COLUMNS.recordsPerSecond),
    joinMs: column(COLUMNS.joinMs),
    fetchedRecordsPerSecond: column(COLUMNS.fetchedRecordsPerSecond),
  }
}

/** Java prints decimals as its locale has them. */
const decimal = (text: string): number => Number(text.replace(',', '.'))

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.slice(0, 200) || 'no output'
}
