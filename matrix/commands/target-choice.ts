import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { TargetChoice } from '../plan/repeat.js'
import { packageRoot } from '../root.js'
import { containerKind, endpointKind, targetKind } from '../targets/index.js'
import type { Endpoints, TargetKind, TargetSettings } from '../targets/types.js'
import { oneOf, UsageError } from '../usage-error.js'

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
  const { kafka, pulsar, admin } = options
  const values = options.settings?.values ?? {}
  const profile = options.profile === undefined ? undefined : profileFile(options.profile)
  if (options.target === 'container') {
    if (profile === undefined) {
      throw new UsageError(
        `--target container: name its image by --profile target.yaml, or ${shippedNames()}`,
      )
    }
    const choice = { kind: 'container', profile: options.profile }
    return { kind: containerKind(profile), choice, settings: values }
  }
  if (!isRunning(options)) {
    const name = options.target ?? 'reference'
    return {
      kind: namedKind(name),
      choice: { kind: name, settings: options.settings?.text },
      settings: values,
    }
  }
  const addresses = { ...(kafka && { kafka }), ...(pulsar && { pulsar }), ...(admin && { admin }) }
  const kind = endpointKind({ ...addresses, ...(profile !== undefined && { profileFile: profile }) })
  if (kind.endpoints?.kafka === undefined && kind.endpoints?.pulsar === undefined) {
    throw new UsageError(
      `--profile ${options.profile}: it names no address that can be used with what credentials it has; add addresses:, or give --kafka or --pulsar`,
    )
  }
  return { kind, choice: { kind: null, kafka, pulsar, admin, profile: options.profile }, settings: values }
}

/** What the chosen target will speak, told without starting it. */
export function endpointsOf(options: TargetOptions): Endpoints {
  const { kind } = chooseTarget(options)
  if (kind.endpoints !== undefined) return kind.endpoints
  const [name] = kind.name.split('@')
  return { ...(name !== 'pulsar' && { kafka: '' }), ...(name !== 'kafka' && { pulsar: '', admin: '' }) }
}

/** A system that is there already: by addresses, or by a profile that has them. */
const isRunning = ({ target, kafka, pulsar, profile }: TargetOptions): boolean =>
  kafka !== undefined || pulsar !== undefined || (profile !== undefined && target === undefined)

function checkTogether(options: TargetOptions): void {
  const { target, kafka, pulsar, admin, profile, settings } = options
  if (kafka !== undefined || pulsar !== undefined) {
    if (target !== undefined) {
      throw new UsageError(
        `--target ${target} starts a target: leave it out, or leave out --kafka and --pulsar`,
      )
    }
  } else if (admin !== undefined && profile === undefined) {
    throw new UsageError('--admin belongs to a running system: add --kafka or --pulsar')
  } else if (profile !== undefined && target !== undefined && target !== 'container') {
    throw new UsageError(`--profile belongs to a running system or a container: leave out --target ${target}`)
  }
  if (settings === undefined) return
  if (isRunning(options)) {
    throw new UsageError('--settings are for a target that the run starts: set them in the running system')
  }
  if (target === 'container') {
    throw new UsageError('--settings are for the reference: write those of a container into its target.yaml')
  }
}

const shippedFolder = join(packageRoot, 'matrix', 'targets', 'containers')

/** A file, or the name of a profile that comes with the suite. */
function profileFile(given: string): string {
  const shipped = join(shippedFolder, `${given}.yaml`)
  return !existsSync(given) && existsSync(shipped) ? shipped : resolve(given)
}

function shippedNames(): string {
  return oneOf(readdirSync(shippedFolder).map((name) => name.replace(/\.yaml$/, '')))
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
