import { spawn } from 'node:child_process'

/** A process group that hangs, until `release`. */
export interface Hanging {
  /** Safe to call twice, and after the group has ended. */
  release(): void
}

/**
 * Stops a process group without ending it, as a machine that hangs does. A process that is stopped cannot notice that
 * this one has been killed, and would stay for ever: a guard beside it, whose input this process holds open, ends it then.
 */
export function pauseGroup(pid: number): Hanging {
  signalGroup(pid, 'SIGSTOP')
  const guard = spawn('sh', ['-c', `read -r _ || kill -s KILL -- -${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Ctrl-C on the terminal is not for it.
    detached: true,
  })
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  guard.unref()
  return {
    release() {
      if (!guard.stdin.writableEnded) guard.stdin.end('\n')
      signalGroup(pid, 'SIGCONT')
    },
  }
}

export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has ended already.
  }
}
