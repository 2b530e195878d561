import { rmSync } from 'node:fs'
import { connectEngine, GUARD_LABEL } from './engine.js'

/*
 * Outlives the run by a moment: when its standard input closes, which the run's death by kill -9 does too, it removes
 * the containers of that mark and the folder. A line on its input: all is removed already.
 *
 *   node container-guard.js MARK FOLDER
 */
const [mark = '', folder = ''] = process.argv.slice(2)
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

process.stdin.once('data', () => process.exit(0))
process.stdin.once('end', () => {
  void connectEngine()
    .then((engine) => engine.removeMarked(GUARD_LABEL, mark))
    .finally(() => {
      rmSync(folder, { recursive: true, force: true })
      process.exit(0)
    })
})
