/** The driver's library answered a call with an error. `name` is the protocol's own name, as `messages.ts` says. */
export class DriverError extends Error {
  constructor(name: string, message: string) {
    super(message)
    this.name = name
  }
}

/** The library has no way to express the call. A scenario that meets it is `unsupported`, not failed. */
export class Unsupported extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.name = 'Unsupported'
    this.reason = reason
  }
}

/** The driver process ended, or broke the protocol, while the call was under way or before it. */
export class DriverCrashed extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DriverCrashed'
  }
}

/** The driver did not answer in time. Its process has been killed: what it would do later is nobody's to judge. */
export class DriverTimedOut extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DriverTimedOut'
  }
}
