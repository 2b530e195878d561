import type { Target, TargetSettings } from '../matrix/targets/types.js'

/** Instances that scenarios asked for, kept for others of the same settings, all stopped at the end. */
const shared = new Map<string, Promise<Target>>()
const sharedTargets = new Set<Target>()
/** Those that a scenario had for itself and left whole: the next one saves a start. */
const idle: Target[] = []
const started = new Set<Target>()
const lent = new Set<Target>()

/** May be used by other scenarios of this worker too: only for what leaves the instance as it was. */
export function sharedInstance(kind: string, settings: TargetSettings): Promise<Target> {
  const key = `${kind} ${JSON.stringify(Object.entries(settings).sort())}`
  const known = shared.get(key)
  if (known !== undefined) return known
  const starting = startInstance(kind, settings)
  shared.set(key, starting)
  starting.then(
    (target) => sharedTargets.add(target),
    () => shared.delete(key),
  )
  return starting
}

/** Of the usual settings, and the scenario's alone until `giveBack`: it may restart, kill or spoil it. */
export async function lendInstance(kind: string): Promise<Target> {
  const at = idle.findIndex((target) => (target.name ?? target.kind) === kind)
  const target = at >= 0 ? idle.splice(at, 1)[0] : undefined
  const lentOne = target ?? (await startInstance(kind, {}))
  lent.add(lentOne)
  return lentOne
}

/**
 * The scenario has ended. One that was lent to it serves as before if it passed, so that another may have it; after any
 * other end it is not to be trusted.
 */
export async function giveBack(target: Target, isWhole: boolean): Promise<void> {
  if (sharedTargets.has(target)) return
  if (lent.delete(target) && isWhole) idle.push(target)
  else await stopInstance(target)
}

/** For scenarios that start it again with other settings. */
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

async function stopInstance(target: Target): Promise<void> {
  started.delete(target)
  await target.stop()
}

export async function stopInstances(): Promise<void> {
  const all = [...started]
  started.clear()
  shared.clear()
  sharedTargets.clear()
  lent.clear()
  idle.length = 0
  await Promise.allSettled(all.map((target) => target.stop()))
}
