import { loadClients, provisionClient } from './index.js'
import { smoke } from './smoke.js'

/** `node dist/matrix/clients/smoke-main.js <client> <host:port or pulsar://host:port>`; exit code 1 when a check failed. */
const [name, address] = process.argv.slice(2)
const spec = loadClients().find((client) => client.name === name)
const version = spec?.versions.at(-1)
if (!spec || !version || !address) {
  const names = loadClients().map((client) => client.name)
  console.error(`usage: smoke-main <${names.join(' | ')}> <host:port | pulsar://host:port>`)
  process.exit(2)
}
const client = await provisionClient(spec, version, { onProgress: (line) => console.error(line) })
if ('reason' in client) {
  console.error(`could-not-run: ${client.name} ${client.version}: ${client.reason} (${client.remedy})`)
  process.exit(2)
}
const checks = await smoke(client, address.includes('://') ? { pulsar: address } : { kafka: address })
for (const { outcome, what, milliseconds, detail } of checks) {
  console.log(
    `${outcome.padEnd(11)} ${String(milliseconds).padStart(6)} ms  ${what}${detail ? `: ${detail}` : ''}`,
  )
}
process.exitCode = checks.some(({ outcome }) => outcome === 'failed') ? 1 : 0
