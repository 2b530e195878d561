import { randomInt } from 'node:crypto'
import type { Clock } from '../../base/clock.js'

/** A partition as a fetch asks for it. */
export interface FetchPartition {
  /** As the client named it: '' where it names by id. */
  readonly topic: string
  /** The id as Kafka's text form; the zero id where it names by name. */
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: bigint
  readonly partitionBytesMax: number
}

/** What was last told of a partition in a session: what has not changed is not told again. */
interface Told {
  highWatermark: bigint
  logStartOffset: bigint
}

interface Session {
  readonly id: number
  /** Nobody else can go on with it. */
  readonly owner: string
  /** What the next incremental request must carry. */
  epoch: number
  lastUsedMs: number
  readonly usesTopicIds: boolean
  readonly partitions: Map<string, { asked: FetchPartition; told: Told | undefined }>
}

export interface FetchSessionRequest {
  /** Role and namespace of the client. */
  readonly owner: string
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly partitions: readonly FetchPartition[]
  readonly forgotten: readonly Pick<FetchPartition, 'topic' | 'topicId' | 'partition'>[]
}

export type FetchSessionError =
  | 'FETCH_SESSION_ID_NOT_FOUND'
  | 'INVALID_FETCH_SESSION_EPOCH'
  | 'FETCH_SESSION_TOPIC_ID_ERROR'

export interface FetchedFacts {
  readonly error: boolean
  readonly bytes: number
  readonly highWatermark: bigint
  readonly logStartOffset: bigint
}

/** One fetch within its session, or outside any. */
export interface FetchTurn {
  readonly error: FetchSessionError | null
  /** What to answer with; 0 for none. */
  readonly sessionId: number
  /** All that is to be read, in order. */
  readonly partitions: readonly FetchPartition[]
  /** Which partitions are to be in the answer: all in a full fetch, what is new in an incremental one. */
  isToldOf(partition: FetchPartition, fetched: FetchedFacts): boolean
}

const initialEpoch = 0
const finalEpoch = -1
const epochMax = 0x7fffffff
/** A full cache gives the place of a session that has rested this long to a new one. */
const evictableAfterMs = 120_000

const keyOf = (each: Pick<FetchPartition, 'topic' | 'topicId' | 'partition'>) =>
  `${each.topicId}/${each.topic}/${each.partition}`

/**
 * Incremental fetch sessions (KIP-227; topic ids: KIP-516). A bounded number of them: who gets none is answered with
 * session id 0 and goes on with full fetches.
 */
export class FetchSessions {
  readonly #clock: Clock
  readonly #sessionsMax: number
  /** In order of last use. */
  readonly #sessions = new Map<number, Session>()

  constructor(clock: Clock, sessionsMax: number) {
    this.#clock = clock
    this.#sessionsMax = sessionsMax
  }

  get size(): number {
    return this.#sessions.size
  }

  begin(request: FetchSessionRequest): FetchTurn {
    const { sessionId, sessionEpoch } = request
    const known = this.#sessions.get(sessionId)
    const session = known?.owner === request.owner ? known : undefined
    if (sessionEpoch === initialEpoch || sessionEpoch === finalEpoch) {
      // A full fetch that still names a session closes it.
      if (session !== undefined) this.#sessions.delete(sessionId)
      return sessionEpoch === finalEpoch ? fullTurn(request.partitions) : this.#create(request)
    }
    if (session === undefined) return refusedTurn('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== sessionEpoch) return refusedTurn('INVALID_FETCH_SESSION_EPOCH')
    if (session.usesTopicIds !== request.usesTopicIds) return refusedTurn('FETCH_SESSION_TOPIC_ID_ERROR')
    return this.#continue(session, request)
  }

  #create(request: FetchSessionRequest): FetchTurn {
    if (request.partitions.length === 0 || !this.#hasRoom()) return fullTurn(request.partitions)
    let id = randomInt(1, 0x7fffffff)
    while (this.#sessions.has(id)) id = randomInt(1, 0x7fffffff)
    const session: Session = {
      id,
      owner: request.owner,
      epoch: 1,
      lastUsedMs: this.#clock.nowMs(),
      usesTopicIds: request.usesTopicIds,
      partitions: new Map(request.partitions.map((asked) => [keyOf(asked), { asked, told: undefined }])),
    }
    this.#sessions.set(id, session)
    return {
      ...fullTurn(request.partitions),
      sessionId: id,
      isToldOf: (partition, fetched) => {
        tell(session, partition, fetched)
        return true
      },
    }
  }

  #hasRoom(): boolean {
    if (this.#sessions.size < this.#sessionsMax) return true
    const [oldest] = this.#sessions.values()
    if (oldest === undefined || this.#clock.nowMs() - oldest.lastUsedMs < evictableAfterMs) return false
    return this.#sessions.delete(oldest.id)
  }

  #continue(session: Session, request: FetchSessionRequest): FetchTurn {
    session.epoch = session.epoch === epochMax ? 1 : session.epoch + 1
    session.lastUsedMs = this.#clock.nowMs()
    for (const gone of request.forgotten) session.partitions.delete(keyOf(gone))
    for (const asked of request.partitions) {
      const known = session.partitions.get(keyOf(asked))
      if (known === undefined) session.partitions.set(keyOf(asked), { asked, told: undefined })
      else known.asked = asked
    }
    this.#sessions.delete(session.id)
    // A session without partitions has nothing to remember (KIP-227: the answer's id is then 0).
    if (session.partitions.size > 0) this.#sessions.set(session.id, session)
    return {
      error: null,
      sessionId: session.partitions.size > 0 ? session.id : 0,
      partitions: [...session.partitions.values()].map((each) => each.asked),
      isToldOf: (partition, fetched) => tell(session, partition, fetched),
    }
  }
}

/** Notes what is told of a partition. @returns whether there is anything new in it. */
function tell(session: Session, partition: FetchPartition, fetched: FetchedFacts): boolean {
  const key = keyOf(partition)
  const known = session.partitions.get(key)
  if (known === undefined) return true
  const { told } = known
  const isNew =
    fetched.error ||
    fetched.bytes > 0 ||
    told === undefined ||
    told.highWatermark !== fetched.highWatermark ||
    told.logStartOffset !== fetched.logStartOffset
  // An error is told each time, until the partition can be read again.
  const { highWatermark, logStartOffset } = fetched
  known.told = fetched.error ? undefined : { highWatermark, logStartOffset }
  if (fetched.bytes > 0) {
    // Whoever had data goes to the end, so that under the total limit each has its turn.
    session.partitions.delete(key)
    session.partitions.set(key, known)
  }
  return isNew
}

const fullTurn = (partitions: readonly FetchPartition[]): FetchTurn => ({
  error: null,
  sessionId: 0,
  partitions,
  isToldOf: () => true,
})

const refusedTurn = (error: FetchSessionError): FetchTurn => ({ ...fullTurn([]), error })
