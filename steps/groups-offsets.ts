import { type DataTable, Then, When } from '@cucumber/cucumber'
import { Unsupported } from '../matrix/driver/errors.js'
import {
  type Commit,
  type Committed,
  commitRaw,
  fetchCommitted,
  fetchGroups,
} from './groups-offset-requests.js'
import { groupOf } from './groups-requests.js'
import { listedButRefused } from './protocol-handler.js'
import { errorName, metadataRaw } from './requests.js'
import { same, sameList } from './verify.js'
import type { ConformanceWorld } from './world.js'

/* ---- Topics by name and by id ------------------------------------------------------------------------------------- */

const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
/** From here on these requests name topics by their ids. */
const BY_ID_FROM = 10

/** The id of a topic, where the target has ids; noted so that answers by id are read. */
async function topicIdOf(world: ConformanceWorld, topic: string): Promise<string> {
  const { topics } = await metadataRaw(world, [topic])
  const id = topics[0]?.topicId ?? ZERO_ID
  world.noted('topic ids', () => new Map<string, string>()).set(id, topic)
  return id
}

async function withIds<Item extends { topic: string }>(
  world: ConformanceWorld,
  version: number | undefined,
  items: readonly Item[],
): Promise<Item[]> {
  if (version === undefined || version < BY_ID_FROM) return [...items]
  return Promise.all(items.map(async (item) => ({ ...item, topicId: await topicIdOf(world, item.topic) })))
}

/* ---- Committing --------------------------------------------------------------------------------------------------- */

/** Rows of `topic` (its number in the scenario), `partition`, `offset` and maybe `metadata`. */
function commitsIn(world: ConformanceWorld, table: DataTable): Commit[] {
  return table.hashes().map(({ topic, partition, offset = '', metadata = '' }) => ({
    topic: world.topic(Number(topic)).name,
    partition: Number(partition),
    offset,
    metadata,
  }))
}

async function commitAll(
  world: ConformanceWorld,
  group: string,
  commits: readonly Commit[],
  version?: number,
): Promise<void> {
  const errors = await commitRaw(world, group, await withIds(world, version, commits), { version })
  const names = await Promise.all(errors.map((code) => errorName(world, code)))
  sameList(
    'the errors of the commit',
    commits.map(() => 'NONE'),
    names,
  )
}

When(
  'the group commits in version {int}',
  async function (this: ConformanceWorld, version: number, table: DataTable) {
    if (listedButRefused(this, 'OffsetCommit').includes(version)) {
      throw new Unsupported(`the target refuses OffsetCommit version ${version}`)
    }
    await commitAll(this, groupOf(this), commitsIn(this, table), version)
  },
)

When('the group commits offset {int} of the topic', async function (this: ConformanceWorld, offset: number) {
  const commit = { topic: this.topic().name, partition: 0, offset: String(offset) }
  await commitAll(this, groupOf(this), [commit])
})

When(
  'another group commits offset {int} of each partition',
  async function (this: ConformanceWorld, offset: number) {
    const group = this.newName('-other')
    this.notes.set('other group', group)
    const commits = this.topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({
        topic: name,
        partition,
        offset: String(offset),
      })),
    )
    await commitAll(this, group, commits)
  },
)

/* ---- Reading ------------------------------------------------------------------------------------------------------ */

Then(
  /^partitions (\d+) to (\d+) read(?:, in version (\d+))?$/,
  async function (
    this: ConformanceWorld,
    first: number,
    last: number,
    version: number | null,
    table: DataTable,
  ) {
    const topic = this.topic().name
    const asked = Array.from({ length: last - first + 1 }, (_, index) => ({
      topic,
      partition: first + index,
    }))
    const chosen = version ?? undefined
    const seen = await fetchCommitted(this, groupOf(this), await withIds(this, chosen, asked), {
      version: chosen,
    })
    const named = seen.map(async ({ partition, offset, error }) => ({
      partition: String(partition),
      offset,
      error: await errorName(this, error),
    }))
    sameList('what is read', table.hashes(), (await Promise.all(named)) as Record<string, string>[])
  },
)

interface Row {
  readonly topic: string
  readonly partition: string
  readonly offset: string
  readonly metadata?: string
}

Then(
  /^all that the group has committed(?:, in version (\d+),)? is$/,
  async function (this: ConformanceWorld, version: number | null, table: DataTable) {
    const chosen = version ?? undefined
    const rows = table.hashes() as unknown as Row[]
    // Answers by id are read by the ids of the scenario's topics.
    if (chosen !== undefined && chosen >= BY_ID_FROM) {
      await Promise.all(this.topics.map(({ name }) => topicIdOf(this, name)))
    }
    const seen = await fetchCommitted(this, groupOf(this), null, { version: chosen })
    sameList('what the group has committed', inOrder(this, rows), seen.map(toRow(rows)))
  },
)

/** As answers are put in order: by the topics' names, which are of chance, and by partition. */
function inOrder(world: ConformanceWorld, rows: readonly Row[]): Row[] {
  return rows
    .map((row) => ({ ...row, topic: world.topic(Number(row.topic)).name }))
    .sort((a, b) =>
      a.topic === b.topic ? Number(a.partition) - Number(b.partition) : a.topic < b.topic ? -1 : 1,
    )
}

/** With metadata where the table has that column. */
const toRow =
  (rows: readonly Row[]) =>
  ({ topic, partition, offset, metadata }: Committed): Row => ({
    topic,
    partition: String(partition),
    offset,
    ...(rows[0]?.metadata !== undefined && { metadata: metadata ?? '' }),
  })

Then('all that the group has committed is nothing', async function (this: ConformanceWorld) {
  sameList('what the group has committed', [], await fetchCommitted(this, groupOf(this), null))
  same('the error', 'NONE', await errorName(this, this.note<number>('error')))
})

Then('a topic that does not exist reads −1 without error', async function (this: ConformanceWorld) {
  const topic = this.newName('-unknown')
  const seen = await fetchCommitted(this, groupOf(this), [{ topic, partition: 0 }])
  sameList(
    'what is read',
    [{ topic, partition: 0, offset: '-1', error: 0 }],
    seen.map(({ metadata: _, ...rest }) => rest),
  )
})

Then(
  'one request for both groups reads {int} for the one, {int} for the other, and nothing for a third',
  async function (this: ConformanceWorld, one: number, other: number) {
    const asked = { topic: this.topic().name, partition: 0 }
    const groups = [groupOf(this), this.note<string>('other group'), this.newName('-third')]
    const seen = await fetchGroups(
      this,
      [
        { group: groups[0] ?? '', partitions: null },
        { group: groups[1] ?? '', partitions: [asked] },
        { group: groups[2] ?? '', partitions: [asked] },
      ],
      { version: 8 },
    )
    const offsets = seen.map((of) => of.map(({ offset, error }) => ({ offset, error })))
    const expected = [one, other, -1].map((offset) => [{ offset: String(offset), error: 0 }])
    sameList('what the groups have committed', expected, offsets)
  },
)

Then(
  'a reader that requires stable offsets reads offset {int}',
  async function (this: ConformanceWorld, offset: number) {
    const asked = [{ topic: this.topic().name, partition: 0 }]
    const [seen] = await fetchCommitted(this, groupOf(this), asked, { version: 7, requireStable: true })
    same('the error', 'NONE', await errorName(this, seen?.error ?? 0))
    same('the offset', String(offset), seen?.offset)
  },
)

Then(
  'committing partition 0 at offset {int}, partition 7 and an unknown topic is answered for each, and only the first is committed',
  async function (this: ConformanceWorld, offset: number) {
    const topic = this.topic().name
    const commits = [
      { topic, partition: 0, offset: String(offset) },
      { topic, partition: 7, offset: '5' },
      { topic: this.newName('-unknown'), partition: 0, offset: '5' },
    ]
    const errors = await commitRaw(this, groupOf(this), commits)
    sameList(
      'the errors of the commit',
      ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION'],
      await Promise.all(errors.map((code) => errorName(this, code))),
    )
    const seen = await fetchCommitted(this, groupOf(this), null)
    sameList(
      'what the group has committed',
      [{ topic, partition: 0, offset: String(offset) }],
      seen.map(({ topic: of, partition, offset: at }) => ({ topic: of, partition, offset: at })),
    )
  },
)

/* ---- Metadata ------------------------------------------------------------------------------------------------------ */

/** Characters that metadata may have: Kafka's own default, unless the profile says another. */
const limitOf = (world: ConformanceWorld): number => Number(world.fact('GC-8') ?? 4096)

/** `null`, a JSON string, `as long as allowed` or `one character too long`. */
function metadataOf(world: ConformanceWorld, text: string): string | null {
  if (text === 'as long as allowed') return 'm'.repeat(limitOf(world))
  if (text === 'one character too long') return 'm'.repeat(limitOf(world) + 1)
  return JSON.parse(text) as string | null
}

When(
  /^the group commits offset (\d+) with the metadata (.+)$/,
  async function (this: ConformanceWorld, offset: number, text: string) {
    const commit = { topic: this.topic().name, partition: 0, offset: String(offset) }
    await commitRaw(this, groupOf(this), [{ ...commit, metadata: metadataOf(this, text) }])
  },
)

Then(
  /^the group's commit is offset (\d+) with the metadata (.+)$/,
  async function (this: ConformanceWorld, offset: number, text: string) {
    const [seen] = await fetchCommitted(this, groupOf(this), [{ topic: this.topic().name, partition: 0 }])
    same('the offset', String(offset), seen?.offset)
    same('the metadata', metadataOf(this, text), seen?.metadata)
  },
)

Then(
  'committing partition 0 with metadata over the limit and partition 1 without is refused for the first only',
  async function (this: ConformanceWorld) {
    const topic = this.topic().name
    const metadata = metadataOf(this, 'one character too long')
    const errors = await commitRaw(this, groupOf(this), [
      { topic, partition: 0, offset: '3', metadata },
      { topic, partition: 1, offset: '4' },
    ])
    sameList(
      'the errors of the commit',
      ['OFFSET_METADATA_TOO_LARGE', 'NONE'],
      await Promise.all(errors.map((code) => errorName(this, code))),
    )
    const seen = await fetchCommitted(this, groupOf(this), null)
    sameList(
      'what the group has committed',
      [{ partition: 1, offset: '4', metadata: '' }],
      seen.map(({ partition, offset, metadata: of }) => ({ partition, offset, metadata: of })),
    )
  },
)

/* ---- Names --------------------------------------------------------------------------------------------------------- */

const nameBy = (world: ConformanceWorld, which: string): string =>
  which === 'full' ? `${world.namespace}/${world.topic().name}` : world.topic().name

When(
  'the group commits offset {int} of partition {int} by the {word} name',
  async function (this: ConformanceWorld, offset: number, partition: number, which: string) {
    const commit = { topic: nameBy(this, which), partition, offset: String(offset) }
    await commitAll(this, groupOf(this), [commit])
  },
)

Then(
  'by the {word} name, partition {int} reads offset {int}',
  async function (this: ConformanceWorld, which: string, partition: number, offset: number) {
    const asked = { topic: nameBy(this, which), partition }
    const seen = await fetchCommitted(this, groupOf(this), [asked])
    sameList(
      'what is read',
      [{ ...asked, offset: String(offset), error: 0 }],
      seen.map(({ metadata: _, ...rest }) => rest),
    )
  },
)

Then('all that the group has committed is one offset', async function (this: ConformanceWorld) {
  same('how many offsets it has', 1, (await fetchCommitted(this, groupOf(this), null)).length)
})
