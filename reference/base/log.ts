/** What pino's loggers do, as far as the broker needs it: details first, then a sentence. */
export interface Log {
  debug(details: object, message: string): void
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}
