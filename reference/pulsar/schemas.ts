import type { MetadataStore } from '../storage/types.js'
import type { TopicInfo } from '../topics/types.js'
import { type Failure, fail } from './failure.js'
import type { SchemaData } from './wire/commands.js'

/** Schema types that clients send but that name no schema of their own. */
const NONE = 0
const AUTO_CONSUME = 21

export const isRealSchema = (schema: SchemaData | undefined): schema is SchemaData =>
  schema !== undefined && schema.type !== NONE && schema.type !== AUTO_CONSUME

export interface StoredSchema {
  /** From 0. */
  readonly version: number
  readonly timestampMs: number
  readonly schema: SchemaData
}

/** By its id, so that a topic created anew starts without schemas. */
type SchemaOwner = Pick<TopicInfo, 'topicId'>

/** As the protocol carries a version: eight bytes, big-endian. */
export function versionBytes(version: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(version))
  return bytes
}

const digits = (version: number) => String(version).padStart(10, '0')

/**
 * Topics' schemas, version by version, durable in the metadata store. The same schema has the version that it had
 * first; a schema of another type is refused. Not done: checking that a new version of a record can read the old ones
 * (Avro's rules); such versions are stored as they come.
 */
export class SchemaRegistry {
  readonly #store: MetadataStore
  readonly #clock: { nowMs(): number }
  readonly #byTopic = new Map<string, Promise<StoredSchema[]>>()

  constructor(store: MetadataStore, clock: { nowMs(): number }) {
    this.#store = store
    this.#clock = clock
  }

  /** @returns the schema's version, whether it was there or is new. */
  async getOrCreate(topic: SchemaOwner, schema: SchemaData): Promise<number | Failure> {
    const versions = await this.#versions(topic)
    const same = versions.find((stored) => isSame(stored.schema, schema))
    if (same !== undefined) return same.version
    const latest = versions.at(-1)
    if (latest !== undefined && latest.schema.type !== schema.type)
      return fail(
        'IncompatibleSchema',
        `Incompatible schema: exists schema type ${latest.schema.type}, new schema type ${schema.type}`,
      )
    const stored = {
      version: (latest?.version ?? -1) + 1,
      timestampMs: this.#clock.nowMs(),
      schema: { ...schema, schemaData: Buffer.from(schema.schemaData) },
    }
    versions.push(stored)
    try {
      await this.#store.put(prefixOf(topic) + digits(stored.version), encode(stored))
    } catch (error) {
      // Not to be given out; what others added meanwhile has failed with it, or is read again.
      this.#byTopic.delete(prefixOf(topic))
      throw error
    }
    return stored.version
  }

  /** @param version undefined asks for the newest. */
  async find(topic: SchemaOwner, version?: number): Promise<StoredSchema | undefined> {
    const versions = await this.#versions(topic)
    return version === undefined ? versions.at(-1) : versions.find((stored) => stored.version === version)
  }

  /** Every version, the oldest first. */
  all(topic: SchemaOwner): Promise<readonly StoredSchema[]> {
    return this.#versions(topic)
  }

  /** Forgets a deleted topic's schemas. */
  async delete(topic: SchemaOwner): Promise<void> {
    const versions = await this.#versions(topic)
    this.#byTopic.delete(prefixOf(topic))
    await this.#store.putAll(
      versions.map(({ version }) => [prefixOf(topic) + digits(version), undefined] as const),
    )
  }

  #versions(topic: SchemaOwner): Promise<StoredSchema[]> {
    const prefix = prefixOf(topic)
    const known = this.#byTopic.get(prefix)
    if (known !== undefined) return known
    const loading = this.#store.list(prefix).then((pairs) => pairs.map(([, value]) => decode(value)))
    this.#byTopic.set(prefix, loading)
    loading.catch(() => this.#byTopic.delete(prefix))
    return loading
  }
}

const prefixOf = (topic: SchemaOwner): string => `pulsar/schemas/${topic.topicId}/`

const isSame = (a: SchemaData, b: SchemaData): boolean =>
  a.type === b.type && Buffer.compare(a.schemaData, b.schemaData) === 0

function encode({ version, timestampMs, schema }: StoredSchema): Buffer {
  const { schemaData, ...others } = schema
  return Buffer.from(JSON.stringify({ version, timestampMs, data: schemaData.toString('base64'), ...others }))
}

function decode(value: Buffer): StoredSchema {
  const { version, timestampMs, data, ...others } = JSON.parse(value.toString()) as {
    version: number
    timestampMs: number
    data: string
  } & Omit<SchemaData, 'schemaData'>
  return { version, timestampMs, schema: { ...others, schemaData: Buffer.from(data, 'base64') } }
}
