import type { Provision } from '../clients/types.js'
import { controlVersion } from '../judge/blame.js'
import { compareVersions, versionIn } from '../targets/versions.js'

const NAMES: Readonly<Record<string, string>> = { kafka: 'Apache Kafka', pulsar: 'Apache Pulsar' }

/**
 * Makes clients ready as `provision` does, but for those that an original is too new for: Kafka 4 dropped the requests of
 * old clients (KIP-896), and what they cannot do there says nothing. @param target a target's name, such as `kafka@4.1.0`
 */
export function provisionServed(target: string, provision: Provision): Provision {
  const [original = '', asked = null] = target.split('@')
  if (original !== 'kafka' && original !== 'pulsar') return provision
  const version = versionIn(original, asked)
  return async (spec, clientVersion, options) => {
    const newest = controlVersion(spec, clientVersion)
    if (newest === null || compareVersions(version, newest) <= 0)
      return provision(spec, clientVersion, options)
    const { name, kind } = spec
    const reason = `${NAMES[original]} ${version} does not serve it any more`
    const remedy = `run it by itself against the newest that does: --target ${original}@${newest}`
    return { name, version: clientVersion, kind, reason, remedy, isTooOld: true }
  }
}
