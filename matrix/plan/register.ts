import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { prettifyError, z } from 'zod'
import { packageRoot } from '../root.js'
import { UsageError } from '../usage-error.js'

export const levels = ['MUST', 'DECLARED', 'SHOULD'] as const
export type Level = (typeof levels)[number]

const requirementShape = z.object({
  id: z.string().regex(/^[A-Z]{2}-\d+$/),
  /** The chapter's code, such as MC. */
  chapter: z.string().min(1),
  level: z.enum(levels),
  /** The certification level that it belongs to; absent: core. */
  certification: z.string().optional(),
  statement: z.string().min(1),
  from: z.string().default(''),
  /** Why no scenario shows it yet. */
  later: z.string().optional(),
})
export type Requirement = z.output<typeof requirementShape>

const chapterShape = z.object({ id: z.string(), title: z.string() })
const registerShape = z.union([
  z.array(requirementShape).transform((requirements) => ({ requirements, chapters: undefined })),
  z.object({ chapters: z.array(chapterShape).optional(), requirements: z.array(requirementShape) }),
])

/** What the suite promises to check: `features/requirements.yaml`. */
export interface Register {
  readonly requirements: readonly Requirement[]
  readonly byId: ReadonlyMap<string, Requirement>
  /** sha256 of the file, in hex: two reports with one digest speak of the same promises. */
  readonly digest: string
  /** Title of a chapter's code, where the register gives one. */
  readonly chapterTitles: ReadonlyMap<string, string>
}

/** @throws UsageError when the file cannot be read or is not a register. */
export function loadRegister(file = join(packageRoot, 'features', 'requirements.yaml')): Register {
  return parseRegister(readText(file), file)
}

export function parseRegister(text: string, name: string): Register {
  const parsed = registerShape.safeParse(parse(text))
  if (!parsed.success) throw new UsageError(`${name} is not a register: ${prettifyError(parsed.error)}`)
  const { requirements, chapters } = parsed.data
  const byId = new Map(requirements.map((requirement) => [requirement.id, requirement]))
  if (byId.size < requirements.length) throw new UsageError(`${name} names a requirement twice`)
  const chapterTitles = new Map((chapters ?? []).map((chapter) => [chapter.id, chapter.title]))
  return {
    requirements,
    byId,
    digest: createHash('sha256').update(text).digest('hex'),
    chapterTitles,
  }
}

/** The level of what shows several requirements: MUST before DECLARED before SHOULD. */
export function strongestLevel(found: readonly Level[]): Level {
  return levels.find((level) => found.includes(level)) ?? 'MUST'
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(`${file} cannot be read: the suite is not complete, install it again`)
  }
}
