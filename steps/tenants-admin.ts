import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Unsupported } from '../matrix/driver/errors.js'

export interface AdminAnswer {
  readonly status: number
  readonly text: string
}

export interface AdminRequest {
  readonly method: string
  /** From `/admin/v2` on. */
  readonly path: string
  readonly token?: string | undefined
  readonly body?: unknown
  /** Of an `https` address: PEM of who signed its certificate. */
  readonly caPem?: string | undefined
}

const TIMEOUT_MS = 20_000

/** One request to Pulsar's admin REST, with a token or without: what comes back is told, whatever it is. */
export function askAdmin(address: string | undefined, asked: AdminRequest): Promise<AdminAnswer> {
  if (address === undefined) throw new Unsupported('the target has no such admin address')
  const url = new URL(asked.path, address)
  const headers = {
    ...(asked.token !== undefined && { authorization: `Bearer ${asked.token}` }),
    ...(asked.body !== undefined && { 'content-type': 'application/json' }),
  }
  const { method, caPem } = asked
  const options = { method, headers, timeout: TIMEOUT_MS, ...(caPem !== undefined && { ca: caPem }) }
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
      })
    })
    request.on('timeout', () => request.destroy(new Error(`${method} ${asked.path}: no answer in time`)))
    request.on('error', reject)
    request.end(asked.body === undefined ? undefined : JSON.stringify(asked.body))
  })
}
