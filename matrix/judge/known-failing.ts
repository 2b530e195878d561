import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { prettifyError, z } from 'zod'
import { UsageError } from '../usage-error.js'

const isoDate = z.iso.date()

/** One entry of a `known-failing.yaml`: of what, with which message, whose, and until when. */
const entryShape = z
  .strictObject({
    /** A scenario's id, an outline's id without its example, or … */
    scenario: z.string().optional(),
    /** … a requirement's id: all scenarios that show it. Neither: wherever the message shows. */
    requirement: z.string().optional(),
    /** Versions of the client or target; absent: all. */
    versions: z.array(z.string()).optional(),
    /** Targets on which it shows, by name, where what is wrong depends on a freedom of theirs; absent: all. */
    targets: z.array(z.string()).optional(),
    /** It shows now and then only: that it passes is no reason to remove the entry. */
    sometimes: z.boolean().optional(),
    /** Part of the failure's text, or `/…/`, a regular expression. Another failure is a new one. */
    message: z.string().min(1),
    owner: z.string().min(1),
    /** The last day on which the entry counts. After it the failure counts as failed. */
    until: isoDate,
    reason: z.string().min(1),
    link: z.url().optional(),
  })
  .refine((entry) => entry.scenario === undefined || entry.requirement === undefined, {
    message: 'name either a scenario or a requirement',
  })
  .refine((entry) => entry.sometimes || entry.scenario !== undefined || entry.requirement !== undefined, {
    message: 'name a scenario or a requirement, or set `sometimes: true` for what can show in any',
  })

export interface KnownFailing extends z.output<typeof entryShape> {
  /** Whose list it is: a client's name, or the target's. */
  readonly subject: { readonly kind: 'client' | 'target'; readonly name: string }
  /** `file: entry 2`, for messages. */
  readonly origin: string
}

/**
 * @returns no entries when there is no such file
 * @throws UsageError when the file is not a list of entries
 */
export function loadKnownFailing(file: string, subject: KnownFailing['subject']): KnownFailing[] {
  const text = readIfThere(file)
  return text === null ? [] : parseKnownFailing(text, file, subject)
}

export function parseKnownFailing(
  text: string,
  file: string,
  subject: KnownFailing['subject'],
): KnownFailing[] {
  const parsed = z.array(entryShape).safeParse(parseDates(text) ?? [])
  if (!parsed.success)
    throw new UsageError(`${file} is not a known-failing list: ${prettifyError(parsed.error)}`)
  return parsed.data.map((entry, index) => ({ ...entry, subject, origin: `${file}: entry ${index + 1}` }))
}

/** A date without quotes stays the text that it is written as. */
function parseDates(text: string): unknown {
  return parse(text, { schema: 'core' })
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new UsageError(`${file} cannot be read`)
  }
}
