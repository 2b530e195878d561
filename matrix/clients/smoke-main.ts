import type { Endpoints } from '../targets/types.js'
import { loadClients, provisionClient } from './index.js'
import { smoke } from './smoke.js'

/**
 * `node dist/matrix/clients/smoke-main.js <client>[@version] <host:port | pulsar://… | http://…> …`: Kafka's address,
 * Pulsar's, or its admin REST's; exit code 1 when a check failed.
 */
const [title = '', ...addresses] = process.argv.slice(2)
const [name, asked] = title.split('@')
const spec = loadClients().find((client) => client.name === name)
const version = asked ?? spec?.versions.at(-1)
if (!spec || !version || addresses.length === 0) {
  const names = loadClients().map((client) => client.name)
  console.error(
    `usage: smoke-main <${names.join(' | ')}>[@version] <host:port | pulsar://host:port | http://host:port> …`,
  )
  process.exit(2)
}
const client = await provisionClient(spec, version, { onProgress: (line) => console.error(line) })
if ('reason' in client) {
  console.error(`could-not-run: ${client.name} ${client.version}: ${client.reason} (${client.remedy})`)
  process.exit(2)
}
const checks = await smoke(client, endpointsOf(addresses))
for (const { outcome, what, milliseconds, detail } of checks) {
  console.log(
    `${outcome.padEnd(11)} ${String(milliseconds).padStart(6)} ms  ${what}${detail ? `: ${detail}` : ''}`,
  )
}
process.exitCode = checks.some(({ outcome }) => outcome === 'failed') ? 1 : 0

function endpointsOf(all: readonly string[]): Endpoints {
  const pulsar = all.find((address) => address.startsWith('pulsar'))
  const admin = all.find((address) => address.startsWith('http'))
  const kafka = all.find((address) => !address.includes('://'))
  return { ...(kafka && { kafka }), ...(pulsar && { pulsar }), ...(admin && { admin }) }
}
