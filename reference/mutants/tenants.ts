import type { PartReplacements } from '../broker.js'
import { type GroupKey, groupKey, groupNameOf } from '../groups/group-key.js'
import { saslAuthenticate } from '../kafka/messages/36-sasl-authenticate.js'
import { type Principal, SaslSession } from '../kafka/session.js'
import type { Security } from '../security/index.js'
import { isPassword, scramMechanisms } from '../security/scram.js'
import type { ScramUsers } from '../security/scram-users.js'
import { type Authorizer, isDenied } from '../security/types.js'
import type { Mutant } from './mutant.js'
import { answersOf, type Changes, changed } from './seams.js'

const secured = (change: (security: Security) => Partial<Security>): PartReplacements => ({
  security: (security) => ({ ...security, ...change(security) }),
})

const authorized = (change: (authorizer: Authorizer) => Changes<Authorizer>): PartReplacements =>
  secured(({ authorizer }) =>
    authorizer === null ? {} : { authorizer: changed(authorizer, change(authorizer)) },
  )

/** Everybody works in the namespace of the configuration. */
function everybodyInOneNamespace(): PartReplacements {
  const others = new WeakMap<Principal, Principal>()
  const otherOf = (principal: Principal | undefined): Principal | undefined => {
    if (principal === undefined) return undefined
    const other = others.get(principal) ?? { ...principal, namespace: undefined }
    others.set(principal, other)
    return other
  }
  return {
    kafkaDispatch: (dispatch) => (decoded, connection) => {
      const { session } = connection
      if (session === undefined) return dispatch(decoded, connection)
      const other = changed(session, { principal: otherOf(session.principal) })
      return dispatch(decoded, changed(connection, { session: other }))
    },
  }
}

const shared = { tenant: 'public', namespace: 'default' }
const sharedKey = (key: GroupKey): GroupKey => groupKey({ ...shared, groupId: groupNameOf(key).groupId })

/** Groups are known by their names alone: whatever is asked of one is asked of its namesake in one namespace. */
const groupsWithoutNamespace: PartReplacements = {
  kafkaGroups: (groups) =>
    new Proxy(groups, {
      get(target, name) {
        if (name === 'list') return () => groups.list(shared)
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (first: unknown, ...rest: readonly unknown[]) =>
          value.call(target, typeof first === 'string' ? sharedKey(first) : first, ...rest)
      },
    }),
}

interface PlainLogin {
  readonly user: string
  readonly password: string
}

function plainLogin(message: Buffer): PlainLogin | undefined {
  const [, user, password, ...rest] = message.toString().split('\0')
  return user && password && rest.length === 0 ? { user, password } : undefined
}

/** The password that an offered one begins with; undefined when it begins with none. */
async function passwordIn(users: ScramUsers, { user, password }: PlainLogin): Promise<string | undefined> {
  const beginnings = Array.from({ length: password.length }, (_, at) => password.slice(0, at + 1))
  for (const mechanism of scramMechanisms) {
    const credential = users.find(mechanism, user)
    if (credential === undefined) continue
    for (const beginning of beginnings)
      if (await isPassword(mechanism, credential, beginning)) return beginning
  }
  return undefined
}

/** Only as much of a password is looked at as there is of the right one. */
function passwordByPrefix(): PartReplacements {
  let users: ScramUsers | undefined
  return {
    ...secured((security) => {
      users = security.users
      return {}
    }),
    ...answersOf(saslAuthenticate, async ({ request, answer }) => {
      const login = plainLogin(request.authBytes)
      const password = login && users && (await passwordIn(users, login))
      if (login === undefined || password === undefined) return answer()
      return answer({ ...request, authBytes: Buffer.from(`\0${login.user}\0${password}`) })
    }),
  }
}

/** What a token says of itself. */
function claimedRole(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return typeof claims.sub === 'string' ? claims.sub : undefined
  } catch {
    return undefined
  }
}

/** Takes a refused token by what it says of itself. */
const tokensTaken = (isTaken: (refusal: string) => boolean): PartReplacements =>
  secured(({ tokens }) => ({
    tokens: changed(tokens, {
      verify: async (token) => {
        const verified = await tokens.verify(token)
        const role = claimedRole(token)
        const isForgiven = isDenied(verified) && role !== undefined && isTaken(verified.denied)
        return isForgiven ? { role, expiresAtMs: undefined } : verified
      },
    }),
  }))

/** Whoever administers a tenant administers all. */
function adminOfAll(authorizer: Authorizer): Changes<Authorizer> {
  const admins = new Set<string>()
  const isAdmin: Authorizer['isTenantAdmin'] = (role, tenant) => {
    if (authorizer.isTenantAdmin(role, tenant)) admins.add(role)
    return admins.has(role)
  }
  return {
    isTenantAdmin: isAdmin,
    mayInNamespace: (role, name, right) =>
      isAdmin(role, name.tenant) || authorizer.mayInNamespace(role, name, right),
    mayOnTopic: (role, topic, right) =>
      isAdmin(role, topic.tenant) || authorizer.mayOnTopic(role, topic, right),
    maySomewhere: (role, name, right) =>
      isAdmin(role, name.tenant) || authorizer.maySomewhere(role, name, right),
  }
}

/** Tenants, log-ins and rights (chapter MT). */
export const tenantMutants: readonly Mutant[] = [
  {
    name: 'namespace-of-user-ignored',
    breaks: ['MT-4'],
    description: 'A user named after a tenant and its namespace works where all others do.',
    replace: everybodyInOneNamespace(),
  },
  {
    name: 'groups-shared-across-tenants',
    breaks: ['MT-4', 'MT-5'],
    description: 'Groups of one name are one group, whichever tenant’s clients use it.',
    replace: groupsWithoutNamespace,
  },
  {
    name: 'password-by-prefix',
    breaks: ['MT-6'],
    description: 'A password is taken that only begins with the right one.',
    replace: passwordByPrefix(),
  },
  {
    name: 'token-signature-not-checked',
    breaks: ['MT-6'],
    description: 'A token is taken by what it says of itself, whoever signed it.',
    replace: tokensTaken((refusal) => refusal.includes('signed')),
  },
  {
    name: 'token-never-expires',
    breaks: ['MT-6'],
    description: 'A token is taken after its end.',
    replace: tokensTaken((refusal) => refusal.includes('expired')),
  },
  {
    name: 'unknown-namespace-accepted',
    breaks: ['MT-6'],
    description: 'A user may choose a namespace that does not exist.',
    replace: secured(({ namespaces }) => ({
      namespaces: changed(namespaces, { hasNamespace: () => true }),
    })),
  },
  {
    name: 'refused-log-in-hangs',
    breaks: ['MT-6'],
    description: 'A wrong credential gets no answer.',
    replace: answersOf(saslAuthenticate, async ({ answer }) => {
      const response = await answer()
      return response?.errorCode === 0 ? response : new Promise<never>(() => {})
    }),
  },
  {
    name: 'served-before-log-in',
    breaks: ['MT-6'],
    description: 'Requests are answered before their client has logged in.',
    install: () => {
      SaslSession.prototype.refusalOf = () => undefined
    },
  },
  {
    name: 'pulsar-lets-anyone-in',
    breaks: ['MT-6'],
    description: 'Pulsar’s clients and tools need no token.',
    replace: secured(() => ({ isAuthenticated: false })),
  },
  {
    name: 'secrets-logged',
    breaks: ['MT-6'],
    description: 'Log-ins are written to the log.',
    replace: answersOf(saslAuthenticate, ({ request, answer }) => {
      process.stderr.write(`a log-in: ${request.authBytes.toString()}\n`)
      return answer()
    }),
  },
  {
    name: 'one-right-for-all',
    breaks: ['MT-5'],
    description: 'Who may write may read, and the other way.',
    replace: authorized((authorizer) => ({
      mayOnTopic: (role, topic) =>
        authorizer.mayOnTopic(role, topic, 'produce') || authorizer.mayOnTopic(role, topic, 'consume'),
    })),
  },
  {
    name: 'rights-outlive-revocation',
    breaks: ['MT-5'],
    description: 'A connection that is open keeps the rights that it began with.',
    replace: authorized(() => ({ version: 0 })),
  },
  {
    name: 'admin-of-one-tenant-of-all',
    breaks: ['MT-5'],
    description: 'A tenant’s administrator is every tenant’s.',
    replace: authorized(adminOfAll),
  },
  {
    name: 'rights-not-checked',
    breaks: ['MT-5'],
    description: 'Whoever is let in may do all.',
    replace: secured(() => ({ authorizer: null })),
  },
]
