import { isFailure } from '../failure.js'
import type { Handler, Session } from '../session.js'
import { LookupResult, ServerError } from '../wire/commands.js'

/** LOOKUP: which broker owns a topic. This one owns all, by the address of the listener that was asked (register TL-6). */
export const lookup: Handler<'LOOKUP'> = (session, { requestId, topic }) => {
  const name = session.service.parse(topic)
  if (isFailure(name))
    session.send('LOOKUP_RESPONSE', {
      requestId,
      response: LookupResult.Failed,
      error: ServerError[name.failed],
      message: name.message,
    })
  else
    session.send('LOOKUP_RESPONSE', {
      requestId,
      ...addressesFor(session),
      response: LookupResult.Connect,
      authoritative: true,
      proxyThroughServiceUrl: false,
    })
}

/** Both kinds, as clients choose by their own settings; of the kind that was asked, the very listener. */
function addressesFor({ service, serviceUrl }: Session) {
  const isTls = serviceUrl.startsWith('pulsar+ssl:')
  const plain = isTls ? service.serviceUrl : serviceUrl
  const tls = isTls ? serviceUrl : service.serviceUrlTls
  return {
    ...(plain === undefined ? {} : { brokerServiceUrl: plain }),
    ...(tls === undefined ? {} : { brokerServiceUrlTls: tls }),
  }
}
