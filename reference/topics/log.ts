/** Where topics report what no caller waits for; pino's shape. */
export interface TopicsLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
