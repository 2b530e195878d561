import { readFile } from 'node:fs/promises'

/** What a process has used so far. */
export interface ProcessUsage {
  /** User and system time of all its threads. */
  readonly cpuSeconds: number
  /** In memory now, file pages that it maps included. */
  readonly residentBytes: number
  /** Of these its own: heap, stacks, buffers. */
  readonly anonymousBytes: number
  /** The most that was ever in memory. */
  readonly residentPeakBytes: number
}

/** Linux counts CPU time in hundredths of a second for every program, whatever its own clock does (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100

/** Reads /proc. Null where there is none, as on macOS: then those figures are not measured. @throws when the process has ended */
export async function usageOf(pid: number): Promise<ProcessUsage | null> {
  if (process.platform !== 'linux') return null
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  return parseUsage(stat, status)
}

/** @param stat text of /proc/pid/stat @param status text of /proc/pid/status */
export function parseUsage(stat: string, status: string): ProcessUsage {
  // The program's name comes second, in parentheses, and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [utime, stime] = [Number(fields[11]), Number(fields[12])]
  const kilobytes = (name: string): number => {
    const [, digits] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? []
    if (digits === undefined) throw new Error(`/proc/pid/status has no ${name}`)
    return Number(digits) * 1024
  }
  return {
    cpuSeconds: (utime + stime) / TICKS_PER_SECOND,
    residentBytes: kilobytes('VmRSS'),
    anonymousBytes: kilobytes('RssAnon'),
    residentPeakBytes: kilobytes('VmHWM'),
  }
}
