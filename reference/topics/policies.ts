/** What a role may do with a namespace's topics, or with one topic: Pulsar's names. */
export const permissionActions = ['produce', 'consume', 'functions', 'sources', 'sinks', 'packages'] as const
export type PermissionAction = (typeof permissionActions)[number]
/** By role. */
export type Permissions = Readonly<Record<string, readonly PermissionAction[]>>

/** How long what every subscription has consumed is kept; −1: for ever, or whatever its size; 0 and 0: not at all. */
export interface RetentionPolicy {
  readonly timeMinutes: number
  readonly sizeMb: number
}

export const backlogQuotaTypes = ['destination_storage', 'message_age'] as const
export type BacklogQuotaType = (typeof backlogQuotaTypes)[number]
export const backlogQuotaActions = [
  'producer_request_hold',
  'producer_exception',
  'consumer_backlog_eviction',
] as const

export interface BacklogQuota {
  /** −1: any size. */
  readonly limitBytes: number
  /** −1: any age. */
  readonly limitSeconds: number
  readonly policy: (typeof backlogQuotaActions)[number]
}

/** What can be set on a namespace and, over that, on one topic. Absent: the broker's default. */
export interface StoragePolicies {
  readonly retention?: RetentionPolicy | undefined
  /** Messages older than this are acknowledged for subscriptions that have not. 0: never. */
  readonly messageTtlSeconds?: number | undefined
  readonly backlogQuotas?: Readonly<Partial<Record<BacklogQuotaType, BacklogQuota>>> | undefined
  /** Policies that are stored and told, without effect: by Pulsar's name, in Pulsar's JSON form. */
  readonly kept?: Readonly<Record<string, unknown>> | undefined
}

export interface NamespacePolicies extends StoragePolicies {
  readonly permissions?: Permissions | undefined
  /** By the topic's full name, without a partition. */
  readonly topicPermissions?: Readonly<Record<string, Permissions>> | undefined
}

/** Who administers a tenant, and where it may have data. */
export interface TenantInfo {
  readonly adminRoles: readonly string[]
  readonly allowedClusters: readonly string[]
}

/** The namespace's policies with those of one topic put over them. */
export function effectivePolicies(
  namespace: StoragePolicies,
  topic: StoragePolicies | undefined,
): StoragePolicies {
  return {
    retention: topic?.retention ?? namespace.retention,
    messageTtlSeconds: topic?.messageTtlSeconds ?? namespace.messageTtlSeconds,
    backlogQuotas: { ...namespace.backlogQuotas, ...topic?.backlogQuotas },
    kept: { ...namespace.kept, ...topic?.kept },
  }
}
