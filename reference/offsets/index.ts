import { asMessageIndex, asOffset } from '../base/brand.js'
import { packedMapping } from './packed.js'
import type { OffsetMapping } from './types.js'
import { wrapperMapping } from './wrapper.js'

/** Offsets are the broker-entry index: consecutive, as in Kafka (register ID-10; KoP since 2.8). */
export const indexMapping: OffsetMapping = {
  name: 'index',
  messagesPerEntryMax: Number.POSITIVE_INFINITY,
  offsetOf: ({ firstIndex }, batchIndex) => asOffset(BigInt(firstIndex + batchIndex)),
  targetOf: (offset) => ({ by: 'index', index: asMessageIndex(Number(offset)) }),
}

/** The mapping of that name (register ID-3). */
export function offsetMapping(name: OffsetMapping['name']): OffsetMapping {
  switch (name) {
    case 'index':
      return indexMapping
    case 'packed':
      return packedMapping
    case 'wrapper':
      return wrapperMapping
  }
}
