import { asEntryId, asLedgerId, asOffset } from '../base/brand.js'
import type { OffsetMapping } from './types.js'

const entryBits = 28
const ledgerBits = 63 - entryBits

/**
 * Offsets as the Pulsar–Kafka wrapper computes them: ledger << 28 | entry (register ID-3, ID-12). The batch index has no
 * bits, so an entry holds one message.
 */
export const wrapperMapping: OffsetMapping = {
  name: 'wrapper',
  messagesPerEntryMax: 1,
  offsetOf({ position: { ledgerId, entryId } }, batchIndex) {
    if (batchIndex !== 0 || entryId >= 2 ** entryBits || ledgerId >= 2 ** ledgerBits) return undefined
    return asOffset((BigInt(ledgerId) << BigInt(entryBits)) | BigInt(entryId))
  },
  targetOf: (offset) => ({
    by: 'id',
    position: {
      ledgerId: asLedgerId(Number(offset >> BigInt(entryBits))),
      entryId: asEntryId(Number(BigInt.asUintN(entryBits, offset))),
    },
    batchIndex: 0,
  }),
}
