import type { CommandBody, CommandName } from './wire/commands.js'

/** What a producer needs of its client's connection. */
export interface ProducerConnection {
  readonly remoteAddress: string
  send<Name extends CommandName>(name: Name, body: CommandBody<Name>): void
}

/** One PRODUCER of a client. */
export class Producer {
  readonly id: number
  readonly name: string
  readonly connection: ProducerConnection
  /** Counts the client's reconnections: a higher one replaces a lower one of the same generated name. */
  readonly epoch: number
  readonly nameIsUsers: boolean
  readonly accessMode: number
  readonly connectedSinceMs: number
  readonly metadata: Readonly<Record<string, string>>
  messagesIn = 0
  bytesIn = 0

  constructor(options: {
    id: number
    name: string
    connection: ProducerConnection
    epoch: number
    nameIsUsers: boolean
    accessMode: number
    connectedSinceMs: number
    metadata: Readonly<Record<string, string>>
  }) {
    this.id = options.id
    this.name = options.name
    this.connection = options.connection
    this.epoch = options.epoch
    this.nameIsUsers = options.nameIsUsers
    this.accessMode = options.accessMode
    this.connectedSinceMs = options.connectedSinceMs
    this.metadata = options.metadata
  }

  replaces(other: Producer): boolean {
    return !this.nameIsUsers && !other.nameIsUsers && this.epoch > other.epoch
  }
}
