import {
  type BacklogQuota,
  type BacklogQuotaType,
  backlogQuotaActions,
  backlogQuotaTypes,
  type RetentionPolicy,
  type StoragePolicies,
} from '../../topics/policies.js'
import { AdminError, isObject } from './errors.js'

const limitReason =
  'Invalid retention policy: a single limit of 0 beside another one; use -1 to ignore a limit, or 0 for both'

/** Pulsar's JSON of a retention, read. @throws AdminError */
export function retentionPolicy(json: unknown): RetentionPolicy {
  if (!isObject(json)) throw new AdminError(400, 'The body is not a retention policy')
  const timeMinutes = limit(json.retentionTimeInMinutes)
  const sizeMb = limit(json.retentionSizeInMB)
  if ((timeMinutes === 0) !== (sizeMb === 0)) throw new AdminError(400, limitReason)
  return { timeMinutes, sizeMb }
}

function limit(json: unknown): number {
  if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < -1)
    throw new AdminError(400, 'Invalid retention policy: a limit is a whole number of at least -1')
  return json
}

export const retentionOf = ({ timeMinutes, sizeMb }: RetentionPolicy) => ({
  retentionTimeInMinutes: timeMinutes,
  retentionSizeInMB: sizeMb,
})

/** Which quota a request means: by size when it does not say. @throws AdminError */
export function quotaType(text: string | undefined): BacklogQuotaType {
  const type = text ?? 'destination_storage'
  const found = backlogQuotaTypes.find((each) => each === type)
  if (found === undefined) throw new AdminError(400, `Not one of ${backlogQuotaTypes.join(', ')}`)
  return found
}

/** Pulsar's JSON of a backlog quota, read; older tools say `limit` for its bytes. @throws AdminError */
export function backlogQuota(json: unknown): BacklogQuota {
  if (!isObject(json)) throw new AdminError(400, 'The body is not a backlog quota')
  const policy = backlogQuotaActions.find((each) => each === json.policy)
  if (policy === undefined) throw new AdminError(400, `Not one of ${backlogQuotaActions.join(', ')}`)
  const limitBytes = json.limitSize ?? json.limit ?? -1
  const limitSeconds = json.limitTime ?? -1
  if (!Number.isSafeInteger(limitBytes) || !Number.isSafeInteger(limitSeconds))
    throw new AdminError(400, 'A limit of a backlog quota is a whole number')
  return { limitBytes: Number(limitBytes), limitSeconds: Number(limitSeconds), policy }
}

/** A quota is reached before retention takes what it counts. @throws AdminError */
export function checkQuota(quota: BacklogQuota, retention: RetentionPolicy | undefined): void {
  if (retention === undefined) return
  const bySize = retention.sizeMb > 0 && quota.limitBytes >= retention.sizeMb * 2 ** 20
  const byTime = retention.timeMinutes > 0 && quota.limitSeconds >= retention.timeMinutes * 60
  if (bySize || byTime)
    throw new AdminError(
      412,
      'Backlog Quota exceeds configured retention quota for namespace. Please increase retention quota and retry',
    )
}

export const backlogQuotaMap = (quotas: NonNullable<StoragePolicies['backlogQuotas']>) =>
  Object.fromEntries(
    Object.entries(quotas).map(([type, { limitBytes, limitSeconds, policy }]) => [
      type,
      { limit: limitBytes, limitSize: limitBytes, limitTime: limitSeconds, policy },
    ]),
  )

/** With one kind of quota set, or taken away. */
export function withQuota<T extends StoragePolicies>(
  policies: T,
  type: BacklogQuotaType,
  quota: BacklogQuota | undefined,
): T {
  const { [type]: _before, ...others } = policies.backlogQuotas ?? {}
  return { ...policies, backlogQuotas: quota === undefined ? others : { ...others, [type]: quota } }
}
