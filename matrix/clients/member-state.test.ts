import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { packageRoot } from '../root.js'
import { findTool } from './tools.js'

const lib = join(packageRoot, 'matrix', 'clients', 'lib')
const run = promisify(execFile)

/** What Python prints as JSON at the end of these lines, after a member was given a place and handed out its first record. */
async function afterwards(...lines: string[]): Promise<unknown> {
  const program = [
    'import json',
    'from member_state import MemberState',
    'state, place, other = MemberState(), ("t", 0), ("t", 1)',
    'state.give([place])',
    'state.receive([(place, {"offset": "4"}), (place, {"offset": "5"})])',
    'state.poll(1, 0)',
    ...lines,
    'offsets = [int(record["offset"]) for _, record in state.waiting]',
    'print(json.dumps({"waiting": offsets, "position": state.consumed().get(place)}))',
  ].join('\n')
  const env = { ...process.env, PYTHONPATH: lib, PYTHONDONTWRITEBYTECODE: '1' }
  const { stdout } = await run(await findTool('python'), ['-c', program], { env })
  return JSON.parse(stdout)
}

const cases: [name: string, lines: string[], seen: { waiting: number[]; position: number | null }][] = [
  [
    'what was handed out of a place that comes back at once can still be committed, where the library goes on behind it',
    ['state.take("revoked", [place], True)', 'state.give([place])'],
    { waiting: [5], position: 5 },
  ],
  [
    'nor is it forgotten while nobody knows whether the place comes back',
    ['state.take("revoked", [place], True)'],
    { waiting: [], position: 5 },
  ],
  [
    'a place that comes back later begins at what is committed',
    ['state.take("revoked", [place], True)', 'state.give([other])', 'state.give([place])'],
    { waiting: [], position: null },
  ],
  [
    'so does one that was lost meanwhile',
    ['state.take("revoked", [place], True)', 'state.take("lost", [place])', 'state.give([place])'],
    { waiting: [], position: null },
  ],
  [
    'and one whose library begins anew whenever it is given a place',
    ['state.take("revoked", [place])', 'state.give([place])'],
    { waiting: [], position: null },
  ],
]

for (const [name, lines, seen] of cases) {
  test(name, async () => assert.deepEqual(await afterwards(...lines), seen))
}
