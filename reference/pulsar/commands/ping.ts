import type { Handler } from '../session.js'

/** PING: either side's keep-alive. A PONG needs no handling: any byte received shows that the client lives. */
export const ping: Handler<'PING'> = (session) => session.send('PONG', {})
export const pong: Handler<'PONG'> = () => {}
