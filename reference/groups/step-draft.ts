import type {
  GroupEffect,
  GroupLimits,
  GroupReply,
  GroupState,
  Member,
  ReplyTo,
  TimerName,
} from './step-state.js'

/** The state under change and its effects so far; never outlives one `step`. */
export class Draft {
  state: GroupState
  readonly effects: GroupEffect[] = []
  readonly limits: GroupLimits
  readonly nowMs: number

  constructor(state: GroupState, limits: GroupLimits, nowMs: number) {
    this.state = state
    this.limits = limits
    this.nowMs = nowMs
  }

  change(part: Partial<GroupState>): void {
    this.state = { ...this.state, ...part }
  }

  setMember(member: Member): void {
    this.change({ members: new Map(this.state.members).set(member.memberId, member) })
  }

  removeMember(memberId: string): void {
    const members = new Map(this.state.members)
    members.delete(memberId)
    const leaderId =
      this.state.leaderId === memberId ? (members.keys().next().value ?? null) : this.state.leaderId
    this.change({ members, leaderId })
    this.stop(`session/${memberId}`)
  }

  setPending(memberId: string, sessionTimeoutMs: number | null): void {
    const pendingMembers = new Map(this.state.pendingMembers)
    if (sessionTimeoutMs === null) pendingMembers.delete(memberId)
    else pendingMembers.set(memberId, sessionTimeoutMs)
    this.change({ pendingMembers })
    if (sessionTimeoutMs === null) this.stop(`pending/${memberId}`)
    else this.start(`pending/${memberId}`, sessionTimeoutMs)
  }

  reply(to: ReplyTo, reply: GroupReply): void {
    this.effects.push({ type: 'reply', to, reply })
  }

  start(timer: TimerName, afterMs: number): void {
    this.effects.push({ type: 'startTimer', timer, afterMs })
  }

  stop(timer: TimerName): void {
    this.effects.push({ type: 'stopTimer', timer })
  }

  restartSession(member: Member): void {
    this.start(`session/${member.memberId}`, member.sessionTimeoutMs)
  }
}
