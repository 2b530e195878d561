import { asEntryId, asLedgerId, asOffset } from '../base/brand.js'
import type { OffsetMapping } from './types.js'

const ledgerBits = 20
const entryBits = 32
const batchIndexBits = 12

/**
 * Offsets are message ids in 64 bits: ledger 20, entry 32, batch index 12 (register ID-3; KoP before 2.8). A ledger of
 * 2^19 and more would set the sign bit, and Kafka's offsets are not negative: 19 bits of the 20 can be used.
 */
export const packedMapping: OffsetMapping = {
  name: 'packed',
  messagesPerEntryMax: 2 ** batchIndexBits,
  offsetOf({ position: { ledgerId, entryId } }, batchIndex) {
    if (ledgerId >= 2 ** (ledgerBits - 1) || entryId >= 2 ** entryBits || batchIndex >= 2 ** batchIndexBits)
      return undefined
    const ledger = BigInt(ledgerId) << BigInt(entryBits + batchIndexBits)
    return asOffset(ledger | (BigInt(entryId) << BigInt(batchIndexBits)) | BigInt(batchIndex))
  },
  targetOf(offset) {
    const entry = offset >> BigInt(batchIndexBits)
    return {
      by: 'id',
      position: {
        ledgerId: asLedgerId(Number(entry >> BigInt(entryBits))),
        entryId: asEntryId(Number(BigInt.asUintN(entryBits, entry))),
      },
      batchIndex: Number(BigInt.asUintN(batchIndexBits, offset)),
    }
  },
}
