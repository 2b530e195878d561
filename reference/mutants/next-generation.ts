import type {
  ConsumerGroupHeartbeat,
  ConsumerGroupHeartbeatReply,
  NextGenerationGroups,
} from '../groups/next-generation.js'
import { nextGeneration } from './group-seams.js'
import type { Mutant } from './mutant.js'
import { changed } from './seams.js'

/** What the group answers to a heartbeat, or to another in its place. */
type Answer = (instead?: ConsumerGroupHeartbeat) => Promise<ConsumerGroupHeartbeatReply>

/** Changes how heartbeats are answered. */
const heartbeats = (
  change: (
    request: ConsumerGroupHeartbeat,
    answer: Answer,
    targetOf: (memberId: string) => ConsumerGroupHeartbeatReply['assignment'],
  ) => Promise<ConsumerGroupHeartbeatReply>,
) =>
  nextGeneration((groups) => ({
    heartbeat: (key, request) =>
      change(
        request,
        (instead = request) => groups.heartbeat(key, instead),
        (memberId) =>
          groups.describe(key)?.members.find((member) => member.memberId === memberId)?.target ?? null,
      ),
  }))

/** What is refused with this error is answered as if nothing were wrong with it. */
const overlooked = (
  error: ConsumerGroupHeartbeatReply['error'],
  corrected: (request: ConsumerGroupHeartbeat) => ConsumerGroupHeartbeat,
) =>
  heartbeats(async (request, answer) => {
    const reply = await answer()
    return reply.error === error ? answer(corrected(request)) : reply
  })

/** A member's commits and fetches are not refused with this error. */
const unchecked = (method: 'mayCommit' | 'mayFetch', error: string) =>
  nextGeneration((groups: NextGenerationGroups) => ({
    mayCommit: (key, member) => {
      const seen = groups.mayCommit(key, member)
      return method === 'mayCommit' && seen === error ? 'NONE' : seen
    },
    mayFetch: (key, memberId, memberEpoch) => {
      const seen = groups.mayFetch(key, memberId, memberEpoch)
      return method === 'mayFetch' && seen === error ? 'NONE' : seen
    },
  }))

/** The consumer protocol of KIP-848. */
export const nextGenerationMutants: readonly Mutant[] = [
  {
    name: 'consumer-epoch-not-checked',
    breaks: ['GC-11'],
    description: 'A heartbeat in an epoch that the member never had is taken for one in its own.',
    replace: heartbeats(async (request, answer) => {
      const reply = await answer()
      if (reply.error !== 'FENCED_MEMBER_EPOCH') return reply
      return { ...reply, error: 'NONE', message: null, memberEpoch: request.memberEpoch }
    }),
  },
  {
    name: 'consumer-commit-epoch-not-checked',
    breaks: ['GC-11'],
    description: 'A member of the consumer protocol commits in any epoch.',
    replace: unchecked('mayCommit', 'STALE_MEMBER_EPOCH'),
  },
  {
    name: 'consumer-fetch-epoch-not-checked',
    breaks: ['GC-11'],
    description: 'A member of the consumer protocol is told offsets in any epoch.',
    replace: unchecked('mayFetch', 'STALE_MEMBER_EPOCH'),
  },
  {
    name: 'consumer-commit-of-nobody',
    breaks: ['GC-11'],
    description: 'One that left a group of the consumer protocol commits to it.',
    replace: unchecked('mayCommit', 'UNKNOWN_MEMBER_ID'),
  },
  {
    name: 'consumer-fetch-of-nobody',
    breaks: ['GC-11'],
    description: 'One that left a group of the consumer protocol is told its offsets.',
    replace: unchecked('mayFetch', 'UNKNOWN_MEMBER_ID'),
  },
  {
    name: 'consumer-any-assignor',
    breaks: ['GC-11'],
    description: 'A member may ask for an assignor that there is not.',
    replace: overlooked('UNSUPPORTED_ASSIGNOR', (request) => ({ ...request, assignor: null })),
  },
  {
    name: 'consumer-any-pattern',
    breaks: ['GC-11'],
    description: 'A pattern that is none is taken for one that no topic matches.',
    replace: overlooked('INVALID_REGULAR_EXPRESSION', (request) => ({ ...request, topicRegex: null })),
  },
  {
    name: 'consumer-instance-taken',
    breaks: ['GC-11'],
    description: 'A newcomer may come as an instance that is there.',
    replace: overlooked('UNRELEASED_INSTANCE_ID', (request) => ({ ...request, instanceId: null })),
  },
  {
    name: 'consumer-leaves-unheard',
    breaks: ['GC-11'],
    description: 'Who leaves a group of the consumer protocol is answered, and stays in it.',
    replace: heartbeats(async (request, answer) => {
      if (request.memberEpoch !== -1) return answer()
      const { memberId, memberEpoch } = request
      const kept = { error: 'NONE', message: null, heartbeatIntervalMs: 0, assignment: null } as const
      return { ...kept, memberId, memberEpoch }
    }),
  },
  {
    name: 'consumer-static-place-lost',
    breaks: ['GC-11'],
    description: 'A static member that goes for a while loses its place as if it had left.',
    replace: heartbeats((request, answer) =>
      answer(request.memberEpoch === -2 ? { ...request, memberEpoch: -1 } : request),
    ),
  },
  {
    name: 'consumer-given-before-let-go',
    breaks: ['GC-11'],
    description: 'A member is given at once what is to be its own, before the one that has it has let it go.',
    replace: heartbeats(async (_, answer, targetOf) => {
      const reply = await answer()
      return reply.error === 'NONE' ? { ...reply, assignment: targetOf(reply.memberId) } : reply
    }),
  },
  {
    name: 'consumer-partition-forgotten',
    breaks: ['GC-11'],
    description: 'The last partition of each topic is given to nobody.',
    replace: heartbeats(async (_, answer) => {
      const reply = await answer()
      const assignment = reply.assignment?.map(({ topicId, partitions }) => ({
        topicId,
        partitions: partitions.slice(0, -1),
      }))
      return { ...reply, assignment: assignment ?? null }
    }),
  },
  {
    name: 'consumer-group-not-stored',
    breaks: ['GC-11'],
    description: 'Groups of the consumer protocol are lost when the broker stops.',
    replace: { consumerGroupStore: (store) => changed(store, { putConsumerGroup: async () => {} }) },
  },
  {
    name: 'consumer-group-never-classic',
    breaks: ['GC-11'],
    description: 'A group that nobody is in any more stays one of the consumer protocol.',
    replace: nextGeneration(() => ({ release: async () => false })),
  },
  {
    name: 'consumer-moved-without-fence',
    breaks: ['GC-11', 'PT-3'],
    description: 'A tool moves a group of the consumer protocol, and its members go on where they were.',
    replace: nextGeneration(() => ({ resetByTool: (_, move) => move() })),
  },
  {
    name: 'consumer-described-without-assignment',
    breaks: ['GC-11'],
    description: 'Members of the consumer protocol are described without what they have.',
    replace: nextGeneration((groups) => ({
      describe: (key) => {
        const description = groups.describe(key)
        const members = description?.members.map((member) => ({ ...member, assigned: [] }))
        return description && members && { ...description, members }
      },
    })),
  },
]
