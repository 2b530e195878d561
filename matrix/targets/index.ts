import { UsageError } from '../usage-error.js'
import { containerKind } from './container.js'
import { endpointKind } from './endpoint.js'
import { kafkaKind } from './kafka.js'
import { pulsarKind } from './pulsar.js'
import { referenceKind } from './reference.js'
import type { TargetKind } from './types.js'

export { containerKind } from './container.js'
export { endpointKind } from './endpoint.js'
export { readProfile } from './profile.js'
export type * from './types.js'

const KINDS: Readonly<Record<string, () => TargetKind>> = {
  reference: referenceKind,
  kafka: kafkaKind,
  pulsar: pulsarKind,
}
/** Of these a name may ask for a version: `kafka@3.9.1`. */
const ORIGINALS: Readonly<Record<string, (version: string) => TargetKind>> = {
  kafka: kafkaKind,
  pulsar: pulsarKind,
}

/** The kinds of target that a run can start by name. */
export function targetKinds(): TargetKind[] {
  return Object.values(KINDS).map((kind) => kind())
}

/**
 * A kind by its name, of an original with its version if need be: `kafka@3.9.1`. `endpoint` is known too, for a worker that is told what it works against: it has no powers, and
 * nothing of it can be started without addresses (`endpointKind`).
 *
 * @throws UsageError when there is none of that name
 */
export function targetKind(name: string): TargetKind {
  if (name === 'endpoint') return endpointKind({})
  if (name.startsWith('container@')) return containerKind(name.slice('container@'.length))
  const [family = '', ...version] = name.split('@')
  const kind = KINDS[family]
  if (kind === undefined)
    throw new UsageError(`no target ${name}: there are ${Object.keys(KINDS).join(', ')}`)
  if (version.length === 0) return kind()
  const original = ORIGINALS[family]
  if (original === undefined)
    throw new UsageError(`${family} has one version only: leave out @${version.join('@')}`)
  return original(version.join('@'))
}
