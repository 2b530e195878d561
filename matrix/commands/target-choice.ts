import type { TargetChoice } from '../plan/repeat.js'
import { endpointKind, targetKind } from '../targets/index.js'
import type { Endpoints, TargetKind, TargetSettings } from '../targets/types.js'
import { UsageError } from '../usage-error.js'

export interface TargetOptions {
  readonly target?: string
  readonly kafka?: string
  readonly pulsar?: string
  readonly admin?: string
  readonly profile?: string
  readonly settings?: { readonly text: string; readonly values: TargetSettings }
}

export interface ChosenTarget {
  readonly kind: TargetKind
  readonly choice: TargetChoice
  readonly settings: TargetSettings
}

/** @throws UsageError when options contradict each other or name no target */
export function chooseTarget(options: TargetOptions): ChosenTarget {
  checkTogether(options)
  const { kafka, pulsar, admin, profile } = options
  const settings = options.settings?.values ?? {}
  if (!hasAddress(options)) {
    const name = options.target ?? 'reference'
    return { kind: namedKind(name), choice: { kind: name, settings: options.settings?.text }, settings }
  }
  const addresses = { ...(kafka && { kafka }), ...(pulsar && { pulsar }), ...(admin && { admin }) }
  const kind = endpointKind({ ...addresses, ...(profile !== undefined && { profileFile: profile }) })
  return { kind, choice: { kind: null, kafka, pulsar, admin, profile }, settings }
}

/** What the chosen target will speak, told without starting it. */
export function endpointsOf(options: TargetOptions): Endpoints {
  checkTogether(options)
  const { kafka, pulsar, admin } = options
  if (hasAddress(options))
    return { ...(kafka && { kafka }), ...(pulsar && { pulsar }), ...(admin && { admin }) }
  const [name] = namedKind(options.target ?? 'reference').name.split('@')
  return { ...(name !== 'pulsar' && { kafka: '' }), ...(name !== 'kafka' && { pulsar: '', admin: '' }) }
}

const hasAddress = ({ kafka, pulsar }: TargetOptions) => kafka !== undefined || pulsar !== undefined

function checkTogether(options: TargetOptions): void {
  const { target, admin, profile, settings } = options
  if (hasAddress(options)) {
    if (target !== undefined) {
      throw new UsageError(
        `--target ${target} starts a target: leave it out, or leave out --kafka and --pulsar`,
      )
    }
    if (settings !== undefined) {
      throw new UsageError('--settings are for a target that the run starts: set them in the running system')
    }
    return
  }
  const alone = admin !== undefined ? '--admin' : profile !== undefined ? '--profile' : null
  if (alone !== null) throw new UsageError(`${alone} belongs to a running system: add --kafka or --pulsar`)
}

function namedKind(name: string): TargetKind {
  if (name === 'endpoint') {
    throw new UsageError('--target endpoint: name a running system by --kafka, --pulsar and --admin instead')
  }
  try {
    return targetKind(name)
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`--target ${name}: ${error.message}`)
    throw error
  }
}
