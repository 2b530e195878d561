import type { Handler, Session } from '../session.js'
import { ServerError } from '../wire/commands.js'

/** Transactions, and watching topic lists: refused by the error that the client expects, so that it does not wait. */
const transactions = {
  error: ServerError.NotAllowedError,
  message: 'Transactions are not supported',
}

type TransactionResponse =
  | 'NEW_TXN_RESPONSE'
  | 'ADD_PARTITION_TO_TXN_RESPONSE'
  | 'ADD_SUBSCRIPTION_TO_TXN_RESPONSE'
  | 'END_TXN_RESPONSE'

const refuseWith =
  (response: TransactionResponse) =>
  (session: Session, { requestId }: { readonly requestId: bigint }): void =>
    session.send(response, { requestId, ...transactions })

export const newTxn: Handler<'NEW_TXN'> = refuseWith('NEW_TXN_RESPONSE')
export const addPartitionToTxn: Handler<'ADD_PARTITION_TO_TXN'> = refuseWith('ADD_PARTITION_TO_TXN_RESPONSE')
export const addSubscriptionToTxn: Handler<'ADD_SUBSCRIPTION_TO_TXN'> = refuseWith(
  'ADD_SUBSCRIPTION_TO_TXN_RESPONSE',
)
export const endTxn: Handler<'END_TXN'> = refuseWith('END_TXN_RESPONSE')

export const tcClientConnect: Handler<'TC_CLIENT_CONNECT_REQUEST'> = (session, { requestId }) =>
  session.send('TC_CLIENT_CONNECT_RESPONSE', { requestId, ...transactions })

/** CONNECTED does not offer topic watchers; clients poll GET_TOPICS_OF_NAMESPACE instead. */
export const watchTopicList: Handler<'WATCH_TOPIC_LIST'> = (session, { requestId }) =>
  session.sendError(requestId, {
    failed: 'NotAllowedError',
    message: 'Watching topic lists is not supported',
  })
