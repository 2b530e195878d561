import { Unsupported } from '../matrix/driver/errors.js'
import { askRest, type RestAnswer, type RestRequest } from '../matrix/rest.js'

/** One request to Pulsar's admin REST, with a token or without: what comes back is told, whatever it is. */
export async function askAdmin(address: string | undefined, asked: RestRequest): Promise<RestAnswer> {
  if (address === undefined) throw new Unsupported('the target has no such admin address')
  return askRest(address, asked)
}
