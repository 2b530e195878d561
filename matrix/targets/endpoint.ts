import { brokerVersion } from './admin.js'
import { EMPTY_PROFILE, readProfile } from './profile.js'
import type { Endpoints, Power, Profile, Target, TargetKind } from './types.js'

const NO_POWERS: ReadonlySet<Power> = new Set()

export interface EndpointOptions extends Endpoints {
  /** A `target.yaml`. */
  readonly profileFile?: string
}

/**
 * A system that is running already: the run reaches it, and has no power over it.
 * @throws UsageError when the profile is wrong
 */
export function endpointKind(options: EndpointOptions): TargetKind {
  const profile = options.profileFile === undefined ? EMPTY_PROFILE : readProfile(options.profileFile)
  const start = () => reach(options, profile)
  return { name: 'endpoint', powers: NO_POWERS, profile, outlivesRun: true, start }
}

async function reach({ kafka, pulsar, admin }: EndpointOptions, profile: Profile): Promise<Target> {
  const refuse = async () => {
    throw new Error('the run has no power over a system that it did not start')
  }
  return {
    kind: 'endpoint',
    version: (admin && (await brokerVersion(admin))) || 'unknown',
    endpoints: { ...(kafka && { kafka }), ...(pulsar && { pulsar }), ...(admin && { admin }) },
    profile,
    powers: NO_POWERS,
    dataDir: '',
    stop: async () => {},
    restart: refuse,
    kill: refuse,
    start: refuse,
    rollOver: refuse,
    failStore: refuse,
    logTail: async () => '',
  }
}
