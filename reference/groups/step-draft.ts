import type {
  GroupEffect,
  GroupLimits,
  GroupReply,
  GroupState,
  Member,
  ReplyTo,
  StorePurpose,
  TimerName,
} from './step-state.js'
import { storedGroup } from './step-stored.js'

/** The state under change and its effects so far; never outlives one `step`. */
export class Draft {
  state: GroupState
  readonly effects: GroupEffect[] = []
  readonly limits: GroupLimits
  readonly nowMs: number
  /** This draft's own copy, made when first changed: the state that came in stays as it is. */
  #members: Map<string, Member> | null = null

  constructor(state: GroupState, limits: GroupLimits, nowMs: number) {
    this.state = state
    this.limits = limits
    this.nowMs = nowMs
  }

  change(part: Partial<Omit<GroupState, 'members'>>): void {
    this.state = { ...this.state, ...part }
  }

  /** The members now, safe to go through while changing them. */
  members(): readonly Member[] {
    return [...this.state.members.values()]
  }

  setMember(member: Member): void {
    this.#ownMembers().set(member.memberId, member)
  }

  removeMember(memberId: string): void {
    const members = this.#ownMembers()
    members.delete(memberId)
    if (this.state.leaderId === memberId) this.change({ leaderId: members.keys().next().value ?? null })
    this.stop(`session/${memberId}`)
  }

  /** Gives the place of one member, in order and lead, to another. */
  replaceMember(oldId: string, member: Member): void {
    const members = new Map(
      this.members().map((each) =>
        each.memberId === oldId ? [member.memberId, member] : [each.memberId, each],
      ),
    )
    this.#members = members
    const leaderId = this.state.leaderId === oldId ? member.memberId : this.state.leaderId
    this.state = { ...this.state, members, leaderId }
    this.stop(`session/${oldId}`)
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

  /** Asks for the group, as it is now, to be durable before what follows. */
  store(purpose: StorePurpose): void {
    this.effects.push({ type: 'store', purpose, group: storedGroup(this.state, this.nowMs) })
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

  #ownMembers(): Map<string, Member> {
    if (this.#members === null) {
      this.#members = new Map(this.state.members)
      this.state = { ...this.state, members: this.#members }
    }
    return this.#members
  }
}
