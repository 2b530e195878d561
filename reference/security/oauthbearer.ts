import { textOf } from './scram.js'

export interface OAuthBearerMessage {
  readonly authorizationId: string
  readonly token: string
  /** KIP-342; `auth` aside. */
  readonly extensions: Readonly<Record<string, string | undefined>>
}

const separator = '\x01'
/** RFC 6750's `b64token`. */
const tokenRule = /^bearer +([-._~+/A-Za-z0-9]+=*)$/i

/** RFC 7628, 3.1: `n,a=user,^Aauth=Bearer token^Akey=value^A^A`. @returns null for what is not of this form. */
export function parseOAuthBearer(message: Buffer): OAuthBearerMessage | null {
  const [header = '', ...fields] = textOf(message)?.split(separator) ?? []
  const [whole, authorizationId = ''] = /^[ny],(?:a=([^,]*))?,$/.exec(header) ?? []
  const isEnded = fields.length >= 3 && fields.at(-1) === '' && fields.at(-2) === ''
  if (whole === undefined || !isEnded) return null
  const pairs = new Map<string, string>()
  for (const pair of fields.slice(0, -2)) {
    const [, key, value] = /^([A-Za-z]+)=([\x21-\x7e \t\r\n]*)$/.exec(pair) ?? []
    if (key === undefined || value === undefined || pairs.has(key)) return null
    pairs.set(key, value)
  }
  const token = tokenRule.exec(pairs.get('auth') ?? '')?.[1]
  if (token === undefined) return null
  pairs.delete('auth')
  return {
    authorizationId: authorizationId.replaceAll('=2C', ',').replaceAll('=3D', '='),
    token,
    extensions: Object.fromEntries(pairs),
  }
}
