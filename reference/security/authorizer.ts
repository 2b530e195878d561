import type { NamespaceCatalog, TopicName } from '../topics/types.js'
import type { Authorizer, NamespaceName, Right, Role } from './types.js'

/** Who administers tenants, and what was granted. */
export type PermissionSource = Pick<
  NamespaceCatalog,
  'tenant' | 'policies' | 'permissions' | 'topicPermissions' | 'onPolicies'
>

type Granted = Readonly<Record<Role, readonly string[]>>

/** Pulsar's rules over what the namespaces' policies grant. */
export class PermissionAuthorizer implements Authorizer {
  readonly #superUsers: ReadonlySet<Role>
  readonly #source: PermissionSource
  #version = 0

  constructor(superUserRoles: Iterable<Role>, source: PermissionSource) {
    this.#superUsers = new Set(superUserRoles)
    this.#source = source
    source.onPolicies(() => {
      this.#version++
    })
  }

  get version(): number {
    return this.#version
  }

  isSuperUser(role: Role): boolean {
    return this.#superUsers.has(role)
  }

  isTenantAdmin(role: Role, tenant: string): boolean {
    return this.isSuperUser(role) || this.#source.tenant(tenant)?.adminRoles.includes(role) === true
  }

  mayInNamespace(role: Role, { tenant, namespace }: NamespaceName, right: Right): boolean {
    return (
      this.isTenantAdmin(role, tenant) || grants(this.#source.permissions(tenant, namespace), role, right)
    )
  }

  mayOnTopic(role: Role, topic: TopicName, right: Right): boolean {
    return (
      this.mayInNamespace(role, topic, right) || grants(this.#source.topicPermissions(topic), role, right)
    )
  }

  maySomewhere(role: Role, name: NamespaceName, right: Right): boolean {
    if (this.mayInNamespace(role, name, right)) return true
    const { topicPermissions = {} } = this.#source.policies(name.tenant, name.namespace)
    return Object.values(topicPermissions).some((granted) => grants(granted, role, right))
  }
}

/** Roles come from clients: `constructor` is one as good as any. */
const grants = (granted: Granted, role: Role, right: Right): boolean =>
  Object.hasOwn(granted, role) && granted[role]?.includes(right) === true
