import { syncAnswer, syncRefusal } from './step-answers.js'
import type { Draft } from './step-draft.js'
import { identifyNow } from './step-identity.js'
import type { GroupState, Member, SyncEvent } from './step-state.js'

export function sync(draft: Draft, event: SyncEvent) {
  const { state } = draft
  const refuse = (error: Parameters<typeof syncRefusal>[0]) => draft.reply(event.replyTo, syncRefusal(error))
  const member = identifyNow(state, event)
  if (typeof member === 'string') return refuse(member)
  if (namesOtherProtocol(state, event)) return refuse('INCONSISTENT_GROUP_PROTOCOL')
  if (state.phase === 'PreparingRebalance') return refuse('REBALANCE_IN_PROGRESS')
  if (state.phase === 'Stable') return syncAgain(draft, member, event)

  if (member.awaitingSync !== null) draft.reply(member.awaitingSync, syncRefusal('REBALANCE_IN_PROGRESS'))
  draft.setMember({ ...member, awaitingSync: event.replyTo, hasSynced: true })
  draft.stop(`session/${member.memberId}`)
  if (event.memberId === state.leaderId) becomeStable(draft, event)
}

/** KIP-559: a SyncGroup that names its protocol must name the chosen one. */
function namesOtherProtocol(state: GroupState, event: SyncEvent): boolean {
  return (
    (event.protocolType !== null && event.protocolType !== state.protocolType) ||
    (event.protocolName !== null && event.protocolName !== state.protocolName)
  )
}

/** The assignment is there: whoever asks late, or once more, gets its own. */
function syncAgain(draft: Draft, member: Member, event: SyncEvent) {
  draft.restartSession(member)
  if (!member.hasSynced) draft.setMember({ ...member, hasSynced: true })
  stopIfAllSynced(draft)
  draft.reply(event.replyTo, syncAnswer(draft.state, member))
}

/** The leader's assignment is the group's: durable first, then told (register GC-3). */
function becomeStable(draft: Draft, event: SyncEvent) {
  const assignments = new Map(event.assignments.map((each) => [each.memberId, each.assignment]))
  draft.change({ phase: 'Stable' })
  const waiting: Member[] = []
  for (const member of draft.members()) {
    const assigned = { ...member, assignment: assignments.get(member.memberId) ?? Buffer.alloc(0) }
    if (member.awaitingSync !== null) waiting.push(assigned)
    draft.setMember({ ...assigned, awaitingSync: null })
  }
  draft.store('assignment')
  for (const member of waiting) {
    if (member.awaitingSync !== null) draft.reply(member.awaitingSync, syncAnswer(draft.state, member))
    draft.restartSession(member)
  }
  stopIfAllSynced(draft)
}

/** Until all members have synced, the rebalance timer runs on, and puts out who never does. */
function stopIfAllSynced(draft: Draft) {
  if (draft.members().every((member) => member.hasSynced)) draft.stop('rebalance')
}
