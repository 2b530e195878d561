import { type Reached, reachedBy } from './endpoint-access.js'
import { probe } from './probe.js'
import { EMPTY_PROFILE, profileOf } from './profile.js'
import { readTargetYaml } from './target-yaml.js'
import type { Endpoints, Power, Profile, StartOptions, Target, TargetKind } from './types.js'

const NO_POWERS: ReadonlySet<Power> = new Set()

export interface EndpointOptions extends Endpoints {
  /** A `target.yaml`. */
  readonly profileFile?: string
}

/**
 * A system that is running already: the run reaches it, and has no power over it. Addresses that are given here win over
 * those of the file.
 * @throws UsageError when the profile is wrong
 */
export function endpointKind({ profileFile, ...given }: EndpointOptions): TargetKind {
  const yaml = profileFile === undefined ? null : readTargetYaml(profileFile)
  const profile = yaml === null || profileFile === undefined ? EMPTY_PROFILE : profileOf(yaml, profileFile)
  const reached = reachedBy(given, profileFile ?? null, yaml)
  return {
    name: 'endpoint',
    powers: NO_POWERS,
    profile,
    outlivesRun: true,
    endpoints: reached.endpoints,
    ...(yaml?.knownFailing !== undefined && { knownFailing: yaml.knownFailing }),
    start: (options) => reach(reached, profile, profileFile ?? null, options),
  }
}

async function reach(
  reached: Reached,
  profile: Profile,
  file: string | null,
  options: StartOptions,
): Promise<Target> {
  const refuse = async () => {
    throw new Error('the run has no power over a system that it did not start')
  }
  return {
    kind: 'endpoint',
    version: (await probe(reached, profile, file, options)) ?? 'unknown',
    endpoints: reached.endpoints,
    access: reached.access,
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
