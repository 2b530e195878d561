import type { MetadataStore } from '../storage/types.js'
import { fullName, isEntityName, partitionedBase } from './names.js'
import type { NamespacePolicies, Permissions, TenantInfo } from './policies.js'
import type { NamespaceCatalog, TopicName } from './types.js'

const tenantPrefix = 'tenant/'
const namespacePrefix = 'namespace/'

interface Tenant {
  info: TenantInfo
  readonly namespaces: Map<string, NamespacePolicies>
}

const noPolicies: NamespacePolicies = {}
const noPermissions: Permissions = {}

/**
 * Tenants with who administers them, and namespaces with their policies and permissions: each a key of the metadata
 * store, all in memory. Changes come one after another, so that two at once lose nothing.
 */
export class StoredNamespaces implements NamespaceCatalog {
  readonly #metadata: MetadataStore
  /** Whether a namespace holds topics: then it is not deleted. */
  readonly #isUsed: (tenant: string, namespace: string) => boolean
  readonly #tenants = new Map<string, Tenant>()
  readonly #listeners = new Set<(tenant: string, namespace: string) => void>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(metadata: MetadataStore, isUsed: (tenant: string, namespace: string) => boolean) {
    this.#metadata = metadata
    this.#isUsed = isUsed
  }

  /** Takes up what is stored, and makes what the configuration names. */
  async load(configured: Iterable<readonly [tenant: string, namespace: string]>): Promise<void> {
    for (const [key, value] of await this.#metadata.list(tenantPrefix))
      this.#add(key.slice(tenantPrefix.length)).info = parsed(value) ?? noInfo
    for (const [key, value] of await this.#metadata.list(namespacePrefix)) {
      const [tenant = '', namespace = ''] = key.slice(namespacePrefix.length).split('/')
      this.#add(tenant).namespaces.set(namespace, parsed(value) ?? noPolicies)
    }
    for (const [tenant, namespace] of configured) {
      await this.createTenant(tenant)
      await this.createNamespace(tenant, namespace)
    }
  }

  listTenants(): readonly string[] {
    return [...this.#tenants.keys()].sort()
  }

  /** Undefined when there is no such tenant. */
  tenant(tenant: string): TenantInfo | undefined {
    return this.#tenants.get(tenant)?.info
  }

  hasNamespace(tenant: string, namespace: string): boolean {
    return this.#tenants.get(tenant)?.namespaces.has(namespace) ?? false
  }

  listNamespaces(tenant: string): readonly string[] {
    return [...(this.#tenants.get(tenant)?.namespaces.keys() ?? [])].sort()
  }

  /** @returns false when it is there already, or when the name is none. */
  createTenant(tenant: string, info: TenantInfo = noInfo): Promise<boolean> {
    return this.#change(async () => {
      if (!isEntityName(tenant) || this.#tenants.has(tenant)) return false
      await this.#metadata.put(tenantPrefix + tenant, Buffer.from(JSON.stringify(info)))
      this.#add(tenant).info = info
      return true
    })
  }

  /** @returns false when there is none. */
  updateTenant(tenant: string, info: TenantInfo): Promise<boolean> {
    return this.#change(async () => {
      const known = this.#tenants.get(tenant)
      if (known === undefined) return false
      await this.#metadata.put(tenantPrefix + tenant, Buffer.from(JSON.stringify(info)))
      known.info = info
      // Who administers a tenant has rights in each of its namespaces.
      for (const namespace of known.namespaces.keys()) this.#tell(tenant, namespace)
      return true
    })
  }

  /** @returns false when there is none, or when it has namespaces still. */
  deleteTenant(tenant: string): Promise<boolean> {
    return this.#change(async () => {
      if (this.#tenants.get(tenant)?.namespaces.size !== 0) return false
      await this.#metadata.delete(tenantPrefix + tenant)
      this.#tenants.delete(tenant)
      return true
    })
  }

  /** @returns false when it is there already, when the tenant is not, or when the name is none. */
  createNamespace(tenant: string, namespace: string, policies = noPolicies): Promise<boolean> {
    return this.#change(async () => {
      const namespaces = this.#tenants.get(tenant)?.namespaces
      if (namespaces === undefined || namespaces.has(namespace) || !isEntityName(namespace)) return false
      await this.#put(tenant, namespace, policies)
      namespaces.set(namespace, policies)
      this.#tell(tenant, namespace)
      return true
    })
  }

  /** @returns false when there is none, or when it has topics still. */
  deleteNamespace(tenant: string, namespace: string): Promise<boolean> {
    return this.#change(async () => {
      if (!this.hasNamespace(tenant, namespace) || this.#isUsed(tenant, namespace)) return false
      await this.#metadata.delete(`${namespacePrefix}${tenant}/${namespace}`)
      this.#tenants.get(tenant)?.namespaces.delete(namespace)
      this.#tell(tenant, namespace)
      return true
    })
  }

  /** What was set on the namespace; nothing for one that is not there. */
  policies(tenant: string, namespace: string): NamespacePolicies {
    return this.#tenants.get(tenant)?.namespaces.get(namespace) ?? noPolicies
  }

  /**
   * Replaces a namespace's policies by what `change` makes of them. Durable when it resolves.
   * @returns false when there is no such namespace.
   */
  updatePolicies(
    tenant: string,
    namespace: string,
    change: (before: NamespacePolicies) => NamespacePolicies,
  ): Promise<boolean> {
    return this.#change(async () => {
      const namespaces = this.#tenants.get(tenant)?.namespaces
      const before = namespaces?.get(namespace)
      if (namespaces === undefined || before === undefined) return false
      const policies = change(before)
      if (policies === before) return true
      await this.#put(tenant, namespace, policies)
      namespaces.set(namespace, policies)
      this.#tell(tenant, namespace)
      return true
    })
  }

  /** What was granted on the namespace: it holds for each of its topics. */
  permissions(tenant: string, namespace: string): Permissions {
    return this.policies(tenant, namespace).permissions ?? noPermissions
  }

  /** What was granted on the one topic, besides the namespace's. A partition has its topic's. */
  topicPermissions(name: TopicName): Permissions {
    const granted = this.policies(name.tenant, name.namespace).topicPermissions
    const base = partitionedBase(name)
    return granted?.[fullName(name)] ?? (base && granted?.[fullName(base)]) ?? noPermissions
  }

  /** What was granted on a deleted topic is not granted on one made anew. */
  async forgetTopic(name: TopicName): Promise<void> {
    const topic = fullName(name)
    await this.updatePolicies(name.tenant, name.namespace, (before) => {
      if (before.topicPermissions?.[topic] === undefined) return before
      const { [topic]: _gone, ...others } = before.topicPermissions
      return { ...before, topicPermissions: others }
    })
  }

  /**
   * Called after a namespace's policies, permissions or administrators changed, it came or went. The returned
   * function ends it.
   */
  onPolicies(listener: (tenant: string, namespace: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(tenant: string, namespace: string): void {
    for (const listener of [...this.#listeners]) listener(tenant, namespace)
  }

  #put(tenant: string, namespace: string, policies: NamespacePolicies): Promise<void> {
    const value = Buffer.from(JSON.stringify(policies))
    return this.#metadata.put(`${namespacePrefix}${tenant}/${namespace}`, value)
  }

  #change<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(task)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #add(name: string): Tenant {
    const tenant = this.#tenants.get(name) ?? { info: noInfo, namespaces: new Map() }
    this.#tenants.set(name, tenant)
    return tenant
  }
}

const noInfo: TenantInfo = { adminRoles: [], allowedClusters: [] }

/** Stores of before policies have empty values. */
const parsed = <T>(value: Buffer): T | undefined =>
  value.length === 0 ? undefined : (JSON.parse(value.toString()) as T)
