import { setTimeout as delay } from 'node:timers/promises'
import { connectEngine, type Engine } from '../targets/engine.js'
import { UsageError } from '../usage-error.js'

/** An engine that has taken the connection, but says nothing, is none. */
const ANSWER_MS_MAX = 10_000
const NAME = 'container engine'

/** Whether an engine is reached, as `--target container` would reach it: Docker, or Podman behind Docker's API. */
export async function containerEngine(
  connect: () => Promise<Pick<Engine, 'version'>> = connectEngine,
  answerMsMax = ANSWER_MS_MAX,
) {
  const waiting = new AbortController()
  const late = delay(answerMsMax, undefined, { signal: waiting.signal }).then(() => {
    throw new UsageError(
      `the container engine does not answer within ${answerMsMax / 1000} s; restart it, or set DOCKER_HOST to another`,
    )
  })
  late.catch(() => {})
  try {
    const answer = connect().then((engine) => engine.version())
    return { name: NAME, ready: true, told: await Promise.race([answer, late]), remedy: '' }
  } catch (error) {
    const [told = '', remedy = ''] = (error instanceof Error ? error.message : String(error)).split('; ')
    const toDo = remedy || 'see why: docker version'
    return { name: NAME, ready: false, told, remedy: `${toDo} (only --target container needs it)` }
  } finally {
    waiting.abort()
  }
}
