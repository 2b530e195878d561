import type { Proof, Proofs } from './proof.js'
import type { ClientSpec } from './types.js'

const WORLDS: Record<ClientSpec['kind'], string> = {
  kafka: 'Kafka',
  pulsar: 'Pulsar',
  'kafka-admin': 'Kafka, tool',
  'pulsar-admin': 'Pulsar, tool',
  'pulsar-kafka-wrapper': 'Kafka over Pulsar',
  raw: 'single requests',
}
const KINDS = Object.keys(WORLDS)
const LANGUAGES: Record<ClientSpec['language'], string> = {
  node: 'Node.js',
  python: 'Python',
  java: 'Java',
  go: 'Go',
  rust: 'Rust',
  program: 'program',
  other: 'other',
}

/** The README's table: a row a client, with its versions that a smoke has proved. */
export function provenTable(clients: readonly ClientSpec[], proofs: Proofs): string {
  const sorted = clients.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
  const rows = sorted.flatMap((spec) => {
    const proven = spec.versions.flatMap((version) => {
      const proof = proofs[`${spec.name}@${version}`]
      return proof === undefined ? [] : [{ version, proof }]
    })
    return proven.length === 0 ? [] : [rowOf(spec, proven)]
  })
  const count = rows.reduce((sum, { versions }) => sum + versions, 0)
  return [
    `${count} versions of ${rows.length} clients and tools are proven: each driver passed every check of its smoke that its`,
    'library can express, against the original named here (`kop-conformance prove`).',
    '',
    '| client | world | language | versions | held against |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(({ line }) => line),
  ].join('\n')
}

function rowOf(spec: ClientSpec, proven: readonly { version: string; proof: Proof }[]) {
  const controls = [...new Set(proven.map(({ proof }) => proof.control))]
  const versions = proven.map(({ version }) => version).join(', ')
  const cells = [spec.name, WORLDS[spec.kind], LANGUAGES[spec.language], versions, controls.join('; ')]
  return { versions: proven.length, line: `| ${cells.join(' | ')} |` }
}
