import { isTimestamp } from '../kafka/wire/record-batch.js'

/** What decides about the timestamps of an entry's messages (register MC-9, MC-10, MC-12). */
export interface MessageTimes {
  /** Written by Kafka: the event time is the record's timestamp exactly, and its absence is −1. */
  readonly writtenByKafka: boolean
  readonly publishTimeMs: number
  /** The broker's time, where a topic's timestamp type asks for it and a Pulsar client wrote the message. */
  readonly appendTimeMs?: number | undefined
}

/** A message's Kafka timestamp; −1 when it has none. */
export function timestampOf(hasEventTime: boolean, eventTimeMs: number, times: MessageTimes): number {
  if (times.writtenByKafka) return hasEventTime && isTimestamp(eventTimeMs) ? eventTimeMs : -1
  if (times.appendTimeMs !== undefined) return times.appendTimeMs
  if (eventTimeMs > 0 && isTimestamp(eventTimeMs)) return eventTimeMs
  return isTimestamp(times.publishTimeMs) ? times.publishTimeMs : -1
}
