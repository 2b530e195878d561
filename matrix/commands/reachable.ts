import { once } from 'node:events'
import { connect } from 'node:net'
import { UsageError } from '../usage-error.js'
import type { TargetOptions } from './target-choice.js'

const TIMEOUT_MS = 5_000

/**
 * Refuses addresses where nobody answers before a hundred scenarios fail of the same. Of several Kafka addresses one is
 * enough, as it is for a client.
 * @throws UsageError naming the option and its address
 */
export async function checkReachable(options: TargetOptions): Promise<void> {
  const { kafka, pulsar, admin } = options
  await Promise.all([
    kafka !== undefined && checkOption('--kafka', kafka.split(',')),
    pulsar !== undefined && checkOption('--pulsar', pulsar.replace('pulsar://', '').split(',')),
    admin !== undefined && checkOption('--admin', [hostOf(new URL(admin))]),
  ])
}

async function checkOption(option: string, addresses: readonly string[]): Promise<void> {
  const refusals = await Promise.all(addresses.map(refusalOf))
  if (refusals.includes(null)) return
  throw new UsageError(
    `${option} ${addresses.join(',')}: nobody answers there (${refusals[0]}); start the system or mend the address`,
  )
}

/** Why no connection can be had; null: it can. */
async function refusalOf(address: string): Promise<string | null> {
  const colon = address.lastIndexOf(':')
  const host = address
    .slice(0, colon)
    .replace(/^\[|\]$/g, '')
    .trim()
  const socket = connect({ host, port: Number(address.slice(colon + 1)) })
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    await once(socket, 'connect', { signal })
    return null
  } catch (error) {
    if (signal.aborted) return `no connection within ${TIMEOUT_MS / 1000} s`
    return (error as NodeJS.ErrnoException).code ?? String(error)
  } finally {
    socket.destroy()
  }
}

function hostOf(url: URL): string {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return `${url.hostname}:${port}`
}
