import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

/**
 * A message's table compiled for one version: closures that read and write with nothing left to decide. Compiled when a
 * version is first used.
 */
export interface Plan {
  read(reader: Reader): unknown
  write(writer: Writer, value: unknown): void
  /** The least that a value takes, which bounds how many of them a frame can announce. */
  readonly bytesMin: number
}

export type Values = Record<string, unknown>

export interface StructPlan extends Plan {
  read(reader: Reader): Values
}

/** A value that its field cannot hold: a mistake of this program, never of a peer. */
export class FieldError extends Error {
  override readonly name = 'FieldError'
}
