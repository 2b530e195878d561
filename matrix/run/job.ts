import { basename } from 'node:path'
import type { ReadyClient } from '../clients/types.js'
import { clientsOf, titleOf } from '../plan/cells.js'
import type { Chunk } from '../plan/chunks.js'
import type { Target } from '../targets/types.js'
import type { RunInput } from './input.js'
import type { Job, Start } from './messages.js'

/** What a worker is told to run a chunk against a target. */
export function jobOf(
  chunk: Pick<Chunk<ReadyClient>, 'cell' | 'scenarios'>,
  target: Target,
  runId: string,
  input: Pick<RunInput, 'settings' | 'seed'>,
): Job {
  const { kafka, pulsar, raw, pulsarAdmin, kafkaAdmin } = chunk.cell
  return {
    cellId: chunk.cell.id,
    scenarios: chunk.scenarios.map(({ id, feature, line }) => ({ id, feature, line })),
    parameters: {
      ...(kafka !== null && { kafka }),
      ...(pulsar !== null && { pulsar }),
      ...(raw !== null && { raw }),
      ...(pulsarAdmin !== null && { pulsarAdmin }),
      ...(kafkaAdmin !== null && { kafkaAdmin }),
      target: {
        kind: target.name ?? target.kind,
        version: target.version,
        endpoints: target.endpoints,
        ...(target.access !== undefined && { access: target.access }),
        profile: target.profile,
        powers: [...target.powers],
        settings: input.settings,
      },
      runId,
      seed: input.seed,
    },
    starts: startsOf(chunk),
  }
}

/** The raw driver is beside most clients: only raw cells are told apart by it. */
function startsOf({ cell, scenarios }: Pick<Chunk<ReadyClient>, 'cell' | 'scenarios'>): Start[] {
  const { raw } = cell
  const clients = clientsOf(cell)
  if (clients.length === 0) return raw === null ? [] : [startOf(raw)]
  const ownTargets = scenarios.some(({ powers }) => powers.length > 0)
  return [...clients.map(startOf), ...(ownTargets ? [{ name: 'targets of its own', cost: 3 }] : [])]
}

/** A JVM takes seconds of work until its classes are loaded and compiled; other drivers, a fraction of one. */
function startOf(client: ReadyClient): Start {
  return { name: titleOf(client), cost: basename(client.command[0] ?? '') === 'java' ? 3 : 1 }
}
