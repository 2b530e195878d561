import { MalformedError } from '../../base/malformed.js'
import { compileStruct } from './compile.js'
import type { StructPlan } from './plan.js'
import { Reader } from './reader.js'
import {
  type Api,
  isFlexible,
  type RequestOf,
  type RequestToWrite,
  type ResponseOf,
  type ResponseToRead,
} from './schema.js'
import { Writer } from './writer.js'

/**
 * Whole frames: header and body. A frame travels behind its length (int32); decoding takes it without, encoding gives it
 * with. Request headers: v1, and v2 for flexible versions, which adds tagged fields but keeps the old form of the client id.
 * Response headers: v0, and v1 (tagged fields) for flexible versions, except for ApiVersions, which must be readable by a
 * client that does not yet know what the broker speaks (KIP-511).
 */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

export interface DecodedRequest<A extends Api = Api> extends RequestHeader {
  readonly api: A
  readonly body: RequestOf<A>
  /** The frame's size, without its length prefix. */
  readonly frameBytes: number
}

export const apiVersionsKey = 18

/** The part of the header that every version of every request begins with. */
export function decodeRequestHeader(frame: Buffer): RequestHeader {
  return readHeader(new Reader(frame))
}

function readHeader(reader: Reader): RequestHeader {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const clientIdBytes = reader.int16()
  if (clientIdBytes < -1) throw new MalformedError(`client id of ${clientIdBytes} bytes`)
  return {
    apiKey,
    apiVersion,
    correlationId,
    clientId: clientIdBytes === -1 ? null : reader.text(clientIdBytes),
  }
}

/**
 * @param frame a request without its length prefix; the result's byte fields are views into it.
 * @param api the table of the frame's API, which has the frame's version.
 * @throws MalformedError when the bytes are not what the table says.
 */
export function decodeRequest<A extends Api>(frame: Buffer, api: A): DecodedRequest<A> {
  const reader = new Reader(frame)
  const header = readHeader(reader)
  if (header.apiKey !== api.key) throw new MalformedError(`key ${header.apiKey} where ${api.key} is expected`)
  if (isFlexible(api, header.apiVersion)) reader.skipTags()
  const body = requestPlan(api, header.apiVersion).read(reader) as RequestOf<A>
  // What follows is not looked at, as Kafka does: librdkafka 2.16 sends Metadata v13 with three bytes too many.
  return { api, body, frameBytes: frame.length, ...header }
}

/** @returns the frame with its length prefix, in pieces; `bytes` and `records` fields are passed on, not copied. */
export function encodeResponse<A extends Api>(
  api: A,
  apiVersion: number,
  correlationId: number,
  body: ResponseOf<A>,
): Buffer[] {
  const writer = new Writer()
  writer.int32(0)
  writer.int32(correlationId)
  if (hasResponseTags(api, apiVersion)) writer.unsignedVarint(0)
  responsePlan(api, apiVersion).write(writer, body)
  return withLength(writer)
}

/** The client's side of `decodeRequest`. @returns the frame with its length prefix, in pieces. */
export function encodeRequest<A extends Api>(
  api: A,
  header: Omit<RequestHeader, 'apiKey'>,
  body: RequestToWrite<A>,
): Buffer[] {
  const writer = new Writer()
  writer.int32(0)
  writer.int16(api.key)
  writer.int16(header.apiVersion)
  writer.int32(header.correlationId)
  writeClientId(writer, header.clientId)
  if (isFlexible(api, header.apiVersion)) writer.unsignedVarint(0)
  requestPlan(api, header.apiVersion).write(writer, body)
  return withLength(writer)
}

function writeClientId(writer: Writer, clientId: string | null): void {
  const length = clientId === null ? -1 : Buffer.byteLength(clientId)
  writer.int16(length)
  if (clientId !== null) writer.text(clientId, length)
}

/** The client's side of `encodeResponse`. @param frame without its length prefix. */
export function decodeResponse<A extends Api>(
  frame: Buffer,
  api: A,
  apiVersion: number,
): { readonly correlationId: number; readonly body: ResponseToRead<A> } {
  const reader = new Reader(frame)
  const correlationId = reader.int32()
  if (hasResponseTags(api, apiVersion)) reader.skipTags()
  const body = responsePlan(api, apiVersion).read(reader) as ResponseToRead<A>
  reader.expectEnd()
  return { correlationId, body }
}

const hasResponseTags = (api: Api, apiVersion: number): boolean =>
  api.key !== apiVersionsKey && isFlexible(api, apiVersion)

function withLength(writer: Writer): Buffer[] {
  const length = writer.length - 4
  const pieces = writer.finish()
  pieces[0]?.writeInt32BE(length, 0)
  return pieces
}

function requestPlan(api: Api, version: number): StructPlan {
  return planFor(api, version, api.requestPlans, 'request')
}

function responsePlan(api: Api, version: number): StructPlan {
  return planFor(api, version, api.responsePlans, 'response')
}

function planFor(
  api: Api,
  version: number,
  plans: (StructPlan | undefined)[],
  side: 'request' | 'response',
): StructPlan {
  const known = plans[version]
  if (known !== undefined) return known
  const [first, last] = api.versions
  if (version < first || version > last)
    throw new MalformedError(`${api.name} has no version ${version}, only ${first} to ${last}`)
  const plan = compileStruct(api[side], version, isFlexible(api, version))
  plans[version] = plan
  return plan
}
