import { InvalidArgumentError } from 'commander'
import type { Shard } from '../plan/shards.js'

/** Parsers of option values. Commander puts the option's name and value before each message. */

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1.')
  return value
}

export function seconds(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Give seconds, such as 60.')
  return value
}

export function seed(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > 0xffff_ffff) {
    throw new InvalidArgumentError('Give a whole number from 0 to 4294967295.')
  }
  return value
}

/** `1/4`: the first of four. */
export function shard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  const value = { index: Number(index), count: Number(count) }
  if (!(value.index >= 1 && value.index <= value.count)) {
    throw new InvalidArgumentError('Give its number and how many there are, such as 1/4.')
  }
  return value
}

export function hostAndPort(text: string): string {
  const isOne = (word: string) => /^[^\s:/]+:\d{1,5}$|^\[[\da-fA-F:]+\]:\d{1,5}$/.test(word.trim())
  if (!text.split(',').every(isOne)) throw new InvalidArgumentError('Give host:port, such as broker:9092.')
  return text
}

export function pulsarUrl(text: string): string {
  if (!/^pulsar:\/\/[^\s/:,]+:\d{1,5}(,[^\s/:,]+:\d{1,5})*$/.test(text)) {
    throw new InvalidArgumentError('Give a service URL, such as pulsar://broker:6650.')
  }
  return text
}

export function httpUrl(text: string): string {
  if (!/^https?:\/\/[^\s/]+\/?$/.test(text)) {
    throw new InvalidArgumentError('Give a URL, such as http://broker:8080.')
  }
  return text.replace(/\/$/, '')
}

/** `entryFormat=kafka,offsetMapping=packed` */
export function settings(text: string): { text: string; values: Record<string, string> } {
  const pairs = text.split(',').map((pair) => pair.trim().split('='))
  if (pairs.some((pair) => pair.length !== 2 || pair.some((part) => part === ''))) {
    throw new InvalidArgumentError('Give name=value,name=value, such as entryFormat=kafka.')
  }
  return { text, values: Object.fromEntries(pairs as [string, string][]) }
}

/** For options that may be given several times, and may hold several values between commas. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [
    ...before,
    ...text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  ]
}

/** For options that may be given several times, each with one value that may hold commas. */
export function eachOne(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}
