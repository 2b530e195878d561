import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type ProtocolName = 'kafka' | 'pulsar'

/** What the broker counts, for Prometheus. Names follow Prometheus' rules: unit and `_total` last. */
export class Metrics {
  readonly registry = new Registry()
  readonly #requestSeconds: Histogram<'protocol' | 'request'>
  readonly #bytesIn: Counter<'protocol'>
  readonly #connections: Gauge<'protocol'>
  readonly #unconvertible: Counter<string>
  readonly #cursorSyncSeconds: Histogram

  constructor() {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.#requestSeconds = new Histogram({
      name: 'kop_request_duration_seconds',
      help: 'From the arrival of a request to its response, by protocol and request',
      labelNames: ['protocol', 'request'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
      registers,
    })
    this.#bytesIn = new Counter({
      name: 'kop_request_bytes_total',
      help: 'Bytes of requests received, by protocol',
      labelNames: ['protocol'],
      registers,
    })
    this.#connections = new Gauge({
      name: 'kop_connections',
      help: 'Open connections, by protocol',
      labelNames: ['protocol'],
      registers,
    })
    this.#unconvertible = new Counter({
      name: 'kop_unconvertible_entries_total',
      help: 'Reads of entries that could not be converted for the other protocol',
      registers,
    })
    this.#cursorSyncSeconds = new Histogram({
      name: 'kop_cursor_sync_seconds',
      help: 'From a commit to its being seen on the cursor of the group, and back',
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10],
      registers,
    })
  }

  request(protocol: ProtocolName, request: string, bytes: number, durationMs: number): void {
    this.#requestSeconds.observe({ protocol, request }, durationMs / 1000)
    this.#bytesIn.inc({ protocol }, bytes)
  }

  connection(protocol: ProtocolName, change: 1 | -1): void {
    this.#connections.inc({ protocol }, change)
  }

  /** What waits to be brought to cursors, read when the metrics are. */
  followCursorSync(sync: { lagMs(): number; waiting(): number }): void {
    const registers = [this.registry]
    new Gauge({
      name: 'kop_cursor_sync_lag_seconds',
      help: 'Age of the oldest commit that its cursor does not show yet',
      registers,
      collect() {
        this.set(sync.lagMs() / 1000)
      },
    })
    new Gauge({
      name: 'kop_cursor_sync_waiting',
      help: 'Groups’ partitions whose cursor is not at the committed offset yet',
      registers,
      collect() {
        this.set(sync.waiting())
      },
    })
  }

  cursorSynced(lagMs: number): void {
    this.#cursorSyncSeconds.observe(lagMs / 1000)
  }

  unconvertible(): void {
    this.#unconvertible.inc()
  }
}
