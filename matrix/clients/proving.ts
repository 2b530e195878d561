import { titleOf } from '../plan/cells.js'
import { driverDigest } from './digest.js'
import { proofOf, readProofs } from './proof.js'
import { Prover, type ProverOptions, whyUnproven } from './prover.js'
import type { Provision } from './types.js'

export interface ProvingOptions extends ProverOptions {
  readonly provision: Provision
  /** Why no original can be had on this machine; null: they can. */
  readonly whyNoControl: () => Promise<string | null>
}

/**
 * Makes clients ready as `provision` does, and proves the driver of one that nothing has proved in its present state:
 * one that fails its smoke cannot judge, nor one whose original does not start. Where no original can be had it judges
 * unproven, and a line says so.
 */
export function provisionProved(options: ProvingOptions): Provision {
  const { provision, whyNoControl, onLine } = options
  const shipped = readProofs()
  const prover = new Prover(options)
  let underWay = 0
  return async (spec, version, asked) => {
    underWay += 1
    try {
      const client = await provision(spec, version, asked)
      if (!('command' in client)) return client
      const title = titleOf(client)
      if (proofOf(title, driverDigest(spec, version), shipped) !== null) return client
      const why = await whyNoControl()
      if (why !== null) {
        onLine(`${title} judges though nothing has proved its driver: ${why}`)
        return client
      }
      onLine(`proving the driver of ${title}: nothing has, in its present state`)
      const failure = await prover.test(spec, client).then(
        (tested) => (tested.proof === null ? whyUnproven(tested) : null),
        (error: unknown) => {
          options.signal.throwIfAborted()
          return error instanceof Error ? error.message : String(error)
        },
      )
      if (failure === null) return client
      const { name, kind } = spec
      const reason = `its driver is not proven: ${failure}`
      return { name, version, kind, reason, remedy: `see it all: kop-conformance prove --clients ${title}` }
    } finally {
      underWay -= 1
      if (underWay === 0) await prover.close()
    }
  }
}
