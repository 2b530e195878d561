import type { Target, TargetSettings } from '../matrix/targets/types.js'

/** Instances that scenarios asked for, kept for others of the same settings, all stopped at the end. */
const shared = new Map<string, Promise<Target>>()
const started = new Set<Target>()

/** May be used by other scenarios of this worker too: only for what leaves the instance as it was. */
export function sharedInstance(kind: string, settings: TargetSettings): Promise<Target> {
  const key = `${kind} ${JSON.stringify(Object.entries(settings).sort())}`
  const known = shared.get(key)
  if (known !== undefined) return known
  const starting = startInstance(kind, settings)
  shared.set(key, starting)
  starting.catch(() => shared.delete(key))
  return starting
}

/** For scenarios that stop, kill or spoil it. */
export async function startInstance(
  kind: string,
  settings: TargetSettings,
  dataDir?: string,
): Promise<Target> {
  const { targetKind } = await import('../matrix/targets/index.js')
  const target = await targetKind(kind).start({ settings, ...(dataDir !== undefined && { dataDir }) })
  started.add(target)
  return target
}

export async function stopInstance(target: Target): Promise<void> {
  started.delete(target)
  await target.stop()
}

export async function stopInstances(): Promise<void> {
  const all = [...started]
  started.clear()
  shared.clear()
  await Promise.allSettled(all.map((target) => target.stop()))
}
