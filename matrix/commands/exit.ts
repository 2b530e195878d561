/** Exit codes of `run`: they are documented, and part of the interface. */
export const EXIT = { passed: 0, failed: 1, nothingRun: 2, interrupted: 130 } as const
