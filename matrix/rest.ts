import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

export interface RestAnswer {
  readonly status: number
  readonly text: string
}

export interface RestRequest {
  readonly method: string
  /** From `/` on. */
  readonly path: string
  readonly token?: string | undefined
  readonly body?: unknown
  /** Of an `https` address: PEM of who signed its certificate, or the file that holds it. */
  readonly caPem?: string | undefined
  readonly caPath?: string | undefined
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 20_000

/** One request of JSON over HTTP or HTTPS: what comes back is told, whatever it is. @throws Error of the connection */
export function askRest(address: string, asked: RestRequest): Promise<RestAnswer> {
  const url = new URL(asked.path, address)
  const headers = {
    ...(asked.token !== undefined && { authorization: `Bearer ${asked.token}` }),
    ...(asked.body !== undefined && { 'content-type': 'application/json' }),
  }
  const { method, timeoutMs = TIMEOUT_MS } = asked
  const ca = asked.caPem ?? (asked.caPath === undefined ? undefined : readFileSync(asked.caPath))
  const options = { method, headers, timeout: timeoutMs, ...(ca !== undefined && { ca }) }
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
