const DAYS_OF_AN_ENTRY = 180
const MESSAGE_CHARACTERS_MAX = 160
/** Parts of a reason that are another in each run. */
const CHANGING = /\b[\w.-]+:\d{2,5}\b|\b(?:kct|kop)-[\w-]+|\d+/

export interface EntryFor {
  readonly scenarioId: string
  /** `name@version` */
  readonly client: string
  /** Where the list lies; absent: in the client's folder of the package. */
  readonly folder?: string | undefined
  readonly reason: string | null
  /** ISO date of the run. */
  readonly today: string
}

/**
 * An entry for the client's known-failing.yaml. Whoever pastes it says why the client is wrong: nobody else can.
 * @see known-failing.ts
 */
export function knownFailingEntry({ scenarioId, client, folder, reason, today }: EntryFor): string {
  const at = client.lastIndexOf('@')
  const until = new Date(Date.parse(today) + DAYS_OF_AN_ENTRY * 86_400_000).toISOString().slice(0, 10)
  return [
    `# ${folder ?? `matrix/clients/${client.slice(0, at)}`}/known-failing.yaml`,
    `- scenario: ${JSON.stringify(scenarioId)}`,
    `  versions: [${JSON.stringify(client.slice(at + 1))}]`,
    `  message: ${JSON.stringify(messageOf(reason ?? 'failed'))}`,
    '  owner: suite',
    `  until: ${until}`,
    '  reason: say what the client does wrong',
    '  link: https://say-where-it-is-reported.example/',
  ].join('\n')
}

/** Text of the failure as an entry matches it: a pattern where parts of it are another in each run. */
function messageOf(reason: string): string {
  const line = (reason.split('\n')[0] ?? '').slice(0, MESSAGE_CHARACTERS_MAX)
  if (!CHANGING.test(line)) return line
  const parts = line.split(new RegExp(CHANGING, 'g')).map(escapePattern)
  return `/${parts.join('.+')}/`
}

const escapePattern = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
