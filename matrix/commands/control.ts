import { loadClients } from '../clients/index.js'
import type { ClientSpec } from '../clients/types.js'
import type { ControlOptions } from '../run/control-options.js'
import { targetKind } from '../targets/index.js'
import { UsageError } from '../usage-error.js'
import { missing } from './toolchains.js'

export interface ControlCommandOptions {
  readonly control: ControlOptions['mode']
  /** Seconds. */
  readonly controlTimeout: number
}

/**
 * How failures are held against the originals.
 * @throws UsageError when `always` asks for what this machine cannot have
 */
export async function controlOptions(options: ControlCommandOptions): Promise<ControlOptions> {
  const { control: mode, controlTimeout } = options
  if (mode === 'always') {
    const why = await whyNoControl()
    if (why !== null) throw new UsageError(`--control always: ${why}`)
  }
  const isCompiled = ({ language }: ClientSpec) => language === 'java' || language === 'go'
  const quick = loadClients()
    .filter((spec) => spec.quick && spec.kind !== 'raw')
    .sort((a, b) => Number(isCompiled(a)) - Number(isCompiled(b)))
  return {
    mode,
    timeoutMs: controlTimeout * 1000,
    missing: whyNoControl,
    kindOf: (original, version) => targetKind(version === null ? original : `${original}@${version}`),
    toCompare: quick.map((spec) => ({ spec, version: spec.versions.at(-1) ?? '', named: false })),
  }
}

/** Why the originals cannot be had here; null: they can. */
export async function whyNoControl(): Promise<string | null> {
  const [first] = await missing(['java', 'maven'])
  return first === undefined ? null : `${first.reason} for the originals; ${first.remedy}`
}
