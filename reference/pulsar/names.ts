import type { TopicName } from '../topics/types.js'

/** A topic's name as Pulsar clients write it, taken apart. */
export interface ParsedTopicName {
  readonly domain: 'persistent' | 'non-persistent'
  /** Without the partition suffix. */
  readonly base: TopicName
  /** With the suffix, as it was written: some topic may really be called so. */
  readonly literal: TopicName
  /** Of `…-partition-3`: 3. */
  readonly partition: number | undefined
}

const PARTITION_SUFFIX = /^(.+)-partition-(0|[1-9]\d{0,8})$/
const NAMED_ENTITY = /^[-=:.\w]{1,250}$/
/** What a name is stored under has its limit, and control characters would only hurt those who read logs. */
const NAME_BYTES_MAX = 600
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/

/** `persistent://tenant/namespace/local`, `tenant/namespace/local` or `local` (in `public/default`). */
export function parseTopicName(text: string): ParsedTopicName | undefined {
  const [scheme, rest] = text.includes('://') ? splitOnce(text, '://') : ['persistent', text]
  if (scheme !== 'persistent' && scheme !== 'non-persistent') return undefined
  const parts = rest.split('/')
  if (!text.includes('://') && parts.length === 1) parts.unshift('public', 'default')
  const [tenant, namespace, ...locals] = parts
  const local = locals.join('/')
  if (tenant === undefined || namespace === undefined || local === '') return undefined
  if (!NAMED_ENTITY.test(tenant) || !NAMED_ENTITY.test(namespace) || !isStorable(local)) return undefined
  const literal = { tenant, namespace, local }
  const match = PARTITION_SUFFIX.exec(local)
  if (match?.[1] === undefined) return { domain: scheme, base: literal, literal, partition: undefined }
  return {
    domain: scheme,
    base: { tenant, namespace, local: match[1] },
    literal,
    partition: Number(match[2]),
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return [text.slice(0, at), text.slice(at + separator.length)]
}

/** Whether a topic or subscription can have that name. */
export const isStorable = (name: string): boolean =>
  name !== '' && Buffer.byteLength(name) <= NAME_BYTES_MAX && !CONTROL_CHARACTERS.test(name)

export const isEntityName = (text: string): boolean => NAMED_ENTITY.test(text)

export const fullName = (name: TopicName): string =>
  `persistent://${name.tenant}/${name.namespace}/${name.local}`

export const partitionName = (name: TopicName, index: number): string =>
  `${fullName(name)}-partition-${index}`
