import type { MetadataStore } from '../storage/types.js'
import { isEntityName } from './names.js'
import type { NamespaceCatalog } from './types.js'

const tenantPrefix = 'tenant/'
const namespacePrefix = 'namespace/'
const nothing = Buffer.alloc(0)

/** Tenants and namespaces, each a key of the metadata store, all in memory. */
export class StoredNamespaces implements NamespaceCatalog {
  readonly #metadata: MetadataStore
  /** Whether a namespace holds topics: then it is not deleted. */
  readonly #isUsed: (tenant: string, namespace: string) => boolean
  readonly #tenants = new Map<string, Set<string>>()

  constructor(metadata: MetadataStore, isUsed: (tenant: string, namespace: string) => boolean) {
    this.#metadata = metadata
    this.#isUsed = isUsed
  }

  /** Takes up what is stored, and makes what the configuration names. */
  async load(configured: Iterable<readonly [tenant: string, namespace: string]>): Promise<void> {
    for (const [key] of await this.#metadata.list(tenantPrefix)) this.#add(key.slice(tenantPrefix.length))
    for (const [key] of await this.#metadata.list(namespacePrefix)) {
      const [tenant = '', namespace = ''] = key.slice(namespacePrefix.length).split('/')
      this.#add(tenant).add(namespace)
    }
    for (const [tenant, namespace] of configured) {
      await this.createTenant(tenant)
      await this.createNamespace(tenant, namespace)
    }
  }

  listTenants(): readonly string[] {
    return [...this.#tenants.keys()].sort()
  }

  hasNamespace(tenant: string, namespace: string): boolean {
    return this.#tenants.get(tenant)?.has(namespace) ?? false
  }

  listNamespaces(tenant: string): readonly string[] {
    return [...(this.#tenants.get(tenant) ?? [])].sort()
  }

  /** @returns false when it is there already, or when the name is none. */
  async createTenant(tenant: string): Promise<boolean> {
    if (!isEntityName(tenant) || this.#tenants.has(tenant)) return false
    await this.#metadata.put(tenantPrefix + tenant, nothing)
    this.#add(tenant)
    return true
  }

  /** @returns false when there is none, or when it has namespaces still. */
  async deleteTenant(tenant: string): Promise<boolean> {
    if (this.#tenants.get(tenant)?.size !== 0) return false
    await this.#metadata.delete(tenantPrefix + tenant)
    this.#tenants.delete(tenant)
    return true
  }

  /** @returns false when it is there already, when the tenant is not, or when the name is none. */
  async createNamespace(tenant: string, namespace: string): Promise<boolean> {
    const namespaces = this.#tenants.get(tenant)
    if (namespaces === undefined || namespaces.has(namespace) || !isEntityName(namespace)) return false
    await this.#metadata.put(`${namespacePrefix}${tenant}/${namespace}`, nothing)
    namespaces.add(namespace)
    return true
  }

  /** @returns false when there is none, or when it has topics still. */
  async deleteNamespace(tenant: string, namespace: string): Promise<boolean> {
    if (!this.hasNamespace(tenant, namespace) || this.#isUsed(tenant, namespace)) return false
    await this.#metadata.delete(`${namespacePrefix}${tenant}/${namespace}`)
    this.#tenants.get(tenant)?.delete(namespace)
    return true
  }

  #add(tenant: string): Set<string> {
    const namespaces = this.#tenants.get(tenant) ?? new Set<string>()
    this.#tenants.set(tenant, namespaces)
    return namespaces
  }
}
