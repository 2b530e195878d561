/**
 * A group as the broker keeps it: `tenant/namespace/group`. Group ids are of the namespace that the client works in
 * (register MT-4, MT-5), so that two tenants' groups of one name are two. The subscription that stands for the group on
 * a topic has the plain group id (register PT-1).
 */
export type GroupKey = string

export interface GroupName {
  readonly tenant: string
  readonly namespace: string
  /** Any text that Kafka allows, slashes included. */
  readonly groupId: string
}

export const groupKey = ({ tenant, namespace, groupId }: GroupName): GroupKey =>
  `${tenant}/${namespace}/${groupId}`

/** @throws Error for what `groupKey` never gives. */
export function groupNameOf(key: GroupKey): GroupName {
  const [, tenant, namespace, groupId] = /^([^/]*)\/([^/]*)\/(.*)$/s.exec(key) ?? []
  if (tenant === undefined || namespace === undefined || groupId === undefined)
    throw new Error(`"${key}" is not a group key`)
  return { tenant, namespace, groupId }
}
