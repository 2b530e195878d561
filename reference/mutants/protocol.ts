import { Socket } from 'node:net'
import { MalformedError } from '../base/malformed.js'
import { offsetCommit } from '../kafka/messages/08-offset-commit.js'
import { apiVersions } from '../kafka/messages/18-api-versions.js'
import { deleteGroups } from '../kafka/messages/42-delete-groups.js'
import { ResponseQueue, type ResponseSlot } from '../kafka/response-queue.js'
import { errorCode } from '../kafka/wire/errors.js'
import { FrameReader } from '../kafka/wire/frame-reader.js'
import type { Mutant } from './mutant.js'
import { answered, answersOf } from './seams.js'

type Pieces = readonly Buffer[] | null

const produceKey = 0
const fetchKey = 1
/** Where a response's first field stands, after length and correlation id. */
const bodyAt = 8
/** How long a response waits for another one to change places with. */
const swapWithinMs = 30

/** Lists one version more of an API than is served. */
const overclaims = (apiKey: number) =>
  answered(apiVersions, (response) => ({
    ...response,
    apiKeys: response.apiKeys.map((each) =>
      each.apiKey === apiKey ? { ...each, maxVersion: each.maxVersion + 1 } : each,
    ),
  }))

/** Puts something else in place of a response's pieces, or of how they are sent. */
function patchFill(
  change: (
    queue: ResponseQueue,
    slot: ResponseSlot,
    pieces: Pieces,
    fill: (slot: ResponseSlot, pieces: Pieces) => void,
  ) => void,
): void {
  const { fill } = ResponseQueue.prototype
  ResponseQueue.prototype.fill = function (this: ResponseQueue, slot, pieces) {
    change(this, slot, pieces, (other, filled) => fill.call(this, other, filled))
  }
}

interface Held {
  readonly slot: ResponseSlot
  readonly pieces: Pieces
  readonly timer: NodeJS.Timeout
}

/** Two responses that are ready shortly after one another change places. */
function swapResponses(): void {
  const held = new WeakMap<ResponseQueue, Held>()
  patchFill((queue, slot, pieces, fill) => {
    const before = held.get(queue)
    held.delete(queue)
    if (before === undefined) {
      const alone = () => {
        held.delete(queue)
        fill(slot, pieces)
      }
      held.set(queue, { slot, pieces, timer: setTimeout(alone, swapWithinMs) })
      return
    }
    clearTimeout(before.timer)
    fill(before.slot, pieces)
    fill(slot, before.pieces)
  })
}

/** An ApiVersions in a version that is not known is answered as if it were. */
function hideUnsupportedVersion(): void {
  patchFill((_, slot, pieces, fill) => {
    const [head] = pieces ?? []
    if (
      head !== undefined &&
      head.length >= bodyAt + 2 &&
      head.readInt16BE(bodyAt) === errorCode('UNSUPPORTED_VERSION')
    )
      head.writeInt16BE(0, bodyAt)
    fill(slot, pieces)
  })
}

/** A frame of an impossible length is waited for; the connection stays. */
function ignoreMalformedFrames(): void {
  const { next } = FrameReader.prototype
  FrameReader.prototype.next = function (this: FrameReader) {
    try {
      return next.call(this)
    } catch (error) {
      if (error instanceof MalformedError) return null
      throw error
    }
  }
}

const connections = new Set<Socket>()

/** Kafka's connections are those that are told not to wait for more before they send. */
function watchConnections(): void {
  const { setNoDelay } = Socket.prototype
  Socket.prototype.setNoDelay = function (this: Socket, noDelay) {
    connections.add(this)
    this.once('close', () => connections.delete(this))
    return setNoDelay.call(this, noDelay)
  }
}

/** A frame that is none ends every connection. */
function endAllAtMalformedFrame(): void {
  watchConnections()
  const { next } = FrameReader.prototype
  FrameReader.prototype.next = function (this: FrameReader) {
    try {
      return next.call(this)
    } catch (error) {
      for (const socket of connections) socket.destroy()
      throw error
    }
  }
}

/** A client that is told that its ApiVersions is too new is told no more. */
function endAfterUnsupportedVersion(): void {
  const { write } = Socket.prototype
  Socket.prototype.write = new Proxy(write, {
    apply(right, socket: Socket, sent) {
      const [bytes] = sent
      const isTold =
        Buffer.isBuffer(bytes) &&
        bytes.length >= bodyAt + 2 &&
        bytes.readInt16BE(bodyAt) === errorCode('UNSUPPORTED_VERSION')
      if (isTold) setImmediate(() => socket.destroySoon())
      return Reflect.apply(right, socket, sent)
    },
  })
}

/** How Kafka's protocol is spoken (chapter PH). */
export const protocolMutants: readonly Mutant[] = [
  {
    name: 'commits-forgotten',
    breaks: ['PH-1'],
    description: 'Offset commits are answered as done, and not kept.',
    replace: answersOf(offsetCommit, async ({ request }) => ({
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0 })),
      })),
    })),
  },
  {
    name: 'version-listed-not-served',
    breaks: ['PH-3'],
    description: 'ApiVersions lists a version of Fetch that ends the connection.',
    replace: overclaims(fetchKey),
  },
  {
    name: 'api-listed-not-served',
    breaks: ['PH-3'],
    description: 'ApiVersions lists DeleteGroups, which ends the connection.',
    replace: answersOf(deleteGroups, () => Promise.reject(new Error('not served'))),
  },
  {
    name: 'produce-not-listed',
    breaks: ['PH-3'],
    description: 'ApiVersions does not list Produce.',
    replace: answered(apiVersions, (response) => ({
      ...response,
      apiKeys: response.apiKeys.filter(({ apiKey }) => apiKey !== produceKey),
    })),
  },
  {
    name: 'unknown-version-not-told',
    breaks: ['PH-4'],
    description: 'An ApiVersions that is too new is answered without an error.',
    install: hideUnsupportedVersion,
  },
  {
    name: 'ended-after-unknown-version',
    breaks: ['PH-4'],
    description: 'After the answer to an ApiVersions that is too new the connection is closed.',
    install: endAfterUnsupportedVersion,
  },
  {
    name: 'responses-swapped',
    breaks: ['PH-5'],
    description: 'Two responses that follow one another closely change places.',
    install: swapResponses,
  },
  {
    name: 'malformed-frame-ignored',
    breaks: ['PH-6'],
    description: 'A connection that announces a frame of an impossible length stays open.',
    install: ignoreMalformedFrames,
  },
  {
    name: 'malformed-frame-ends-all',
    breaks: ['PH-6'],
    description: 'A frame of an impossible length ends the connections of all clients.',
    install: endAllAtMalformedFrame,
  },
  {
    name: 'never-stops-reading',
    breaks: ['PH-7'],
    description: 'Requests are taken in however many answers lie unread.',
    install: () => {
      Socket.prototype.pause = function (this: Socket) {
        return this
      }
    },
  },
]
