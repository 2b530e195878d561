import type { StructPlan } from './plan.js'

/**
 * The schema language of Kafka's messages (architecture: "one table a message, types inferred"). A table says for each
 * field what it is, from which version until which it is there, whether it may be null, and its default:
 *
 *     export const heartbeat = api({
 *       key: 12, name: 'Heartbeat', versions: [0, 4], flexibleSince: 4,
 *       request: { groupId: string(), generationId: int32(), memberId: string(), groupInstanceId: string({ since: 3, nullable: 3 }) },
 *       response: { throttleTimeMs: int32({ since: 1 }), errorCode: int16() },
 *     })
 *
 * Reading a version that lacks a field gives its default; writing one leaves it out. A field that is not in every version,
 * is tagged, or has a default may be left out by whoever builds a message; all others must be given.
 * Source: Kafka's protocol guide; flexible versions and tagged fields: KIP-482.
 */
export interface FieldOptions<T> {
  /** The first version with this field; 0 when absent. */
  readonly since?: number
  /** The last version with this field. */
  readonly until?: number
  /** The first version in which it may be null. */
  readonly nullable?: number
  /** What a version without it reads as, and what may be left out when writing. */
  readonly default?: T | null
  /** In flexible versions it travels among the tagged fields, under this number, and only when it is not the default. */
  readonly tag?: number
}

export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

export type FieldType =
  | { readonly kind: Primitive }
  | { readonly kind: 'array'; readonly element: FieldType }
  | { readonly kind: 'struct'; readonly fields: Fields }

/** `Read` is what decoding gives, `Written` what encoding takes; `Presence` says whether a writer may leave it out. */
export interface Field<Read, Written, Presence extends 'required' | 'optional'> {
  readonly type: FieldType
  readonly options: FieldOptions<unknown>
  /** Types only: never there at run time. */
  readonly infer?: { read: Read; written: Written; presence: Presence }
}

export type AnyField = Field<unknown, unknown, 'required' | 'optional'>
export interface Fields {
  readonly [name: string]: AnyField
}

type Infer<F> = F extends { readonly infer?: infer I } ? NonNullable<I> : never
type ReadOf<F> = Infer<F> extends { read: infer R } ? R : never
type WrittenOf<F> = Infer<F> extends { written: infer W } ? W : never
type OptionalNames<F extends Fields> = {
  [N in keyof F]: Infer<F[N]> extends { presence: 'optional' } ? N : never
}[keyof F]

/** What decoding a struct gives: every field, whatever the version. */
export type Read<F extends Fields> = { readonly [N in keyof F]: ReadOf<F[N]> }
/** What encoding a struct takes. */
export type Written<F extends Fields> = {
  readonly [N in Exclude<keyof F, OptionalNames<F>>]: WrittenOf<F[N]>
} & { readonly [N in OptionalNames<F>]?: WrittenOf<F[N]> | undefined }

type Nullable<O, T> = O extends { readonly nullable: number } ? T | null : T
type PresenceOf<O> = O extends
  | { readonly since: number }
  | { readonly until: number }
  | { readonly tag: number }
  | { readonly default: unknown }
  ? 'optional'
  : 'required'
type FieldOf<O, R, W = R> = Field<Nullable<O, R>, Nullable<O, W>, PresenceOf<O>>

function primitive<R, W = R>(kind: Primitive) {
  // biome-ignore lint/complexity/noBannedTypes: no options at all is what {} stands for here
  return <const O extends FieldOptions<R> = {}>(options?: O): FieldOf<O, R, W> => ({
    type: { kind },
    options: options ?? {},
  })
}

export const bool = primitive<boolean>('bool')
export const int8 = primitive<number>('int8')
export const int16 = primitive<number>('int16')
export const int32 = primitive<number>('int32')
export const int64 = primitive<bigint>('int64')
export const float64 = primitive<number>('float64')
export const string = primitive<string>('string')
/** Read as a view into the frame, not a copy. */
export const bytes = primitive<Buffer>('bytes')
/** 16 bytes, as Kafka's text form: 22 characters of base64url. */
export const uuid = primitive<string>('uuid')
/** Record batches: read as one view into the frame, written from pieces that are never copied. */
export const records = primitive<Buffer, readonly Buffer[]>('records')

// biome-ignore lint/complexity/noBannedTypes: no options at all is what {} stands for here
export function array<F extends Fields, const O extends FieldOptions<readonly unknown[]> = {}>(
  element: F,
  options?: O,
): FieldOf<O, readonly Read<F>[], readonly Written<F>[]>
// biome-ignore lint/complexity/noBannedTypes: no options at all is what {} stands for here
export function array<E extends AnyField, const O extends FieldOptions<readonly unknown[]> = {}>(
  element: E,
  options?: O,
): FieldOf<O, readonly ReadOf<E>[], readonly WrittenOf<E>[]>
export function array(element: AnyField | Fields, options: FieldOptions<unknown> = {}): AnyField {
  const type: FieldType = isField(element) ? element.type : { kind: 'struct', fields: element }
  return { type: { kind: 'array', element: type }, options }
}

// biome-ignore lint/complexity/noBannedTypes: no options at all is what {} stands for here
export function struct<F extends Fields, const O extends FieldOptions<unknown> = {}>(
  fields: F,
  options?: O,
): FieldOf<O, Read<F>, Written<F>> {
  return { type: { kind: 'struct', fields }, options: options ?? {} }
}

function isField(element: AnyField | Fields): element is AnyField {
  const { type } = element
  return typeof type === 'object' && type !== null && 'kind' in type && typeof type.kind === 'string'
}

/** A message's table as it is written down. */
export interface ApiTable<Q extends Fields, S extends Fields> {
  readonly key: number
  readonly name: string
  /** First and last version described, both included. */
  readonly versions: readonly [number, number]
  /** The first version with compact lengths and tagged fields (KIP-482); absent while there is none. */
  readonly flexibleSince?: number
  readonly request: Q
  readonly response: S
}

/** A table with the plans that are compiled from it, one a version, when first used. */
export interface Api<Q extends Fields = Fields, S extends Fields = Fields> extends ApiTable<Q, S> {
  readonly requestPlans: (StructPlan | undefined)[]
  readonly responsePlans: (StructPlan | undefined)[]
}

export function api<const Q extends Fields, const S extends Fields>(table: ApiTable<Q, S>): Api<Q, S> {
  return { ...table, requestPlans: [], responsePlans: [] }
}

/** A request as a handler gets it. */
export type RequestOf<A extends Api> = Read<A['request']>
/** A response as a handler builds it. */
export type ResponseOf<A extends Api> = Written<A['response']>
/** The client's side of the same, for tests. */
export type RequestToWrite<A extends Api> = Written<A['request']>
export type ResponseToRead<A extends Api> = Read<A['response']>

export function isFlexible(table: Pick<Api, 'flexibleSince'>, version: number): boolean {
  return table.flexibleSince !== undefined && version >= table.flexibleSince
}
