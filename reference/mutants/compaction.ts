import { isRefusal, type KafkaFetched, type PartitionLog, type Refusal, refuse } from '../topics/types.js'
import type { Mutant } from './mutant.js'
import { type Changes, kafkaLogs, pulsarLogs } from './seams.js'

/** As if what compaction has removed had never had an offset. */
function refusesGaps(log: PartitionLog): Changes<PartitionLog> {
  return {
    fetchKafka: async (offset, limits): Promise<KafkaFetched | Refusal> => {
      const fetched = await log.fetchKafka(offset, limits)
      if (isRefusal(fetched)) return fetched
      const first = fetched.records[0]?.readBigInt64BE(0) ?? offset
      return first > offset ? refuse('OFFSET_OUT_OF_RANGE', `Offset ${offset} is gone.`) : fetched
    },
  }
}

export const compactionMutants: readonly Mutant[] = [
  {
    name: 'gap-out-of-range',
    breaks: ['CO-11'],
    description: 'A fetch at an offset that compaction has removed is out of range.',
    replace: kafkaLogs(refusesGaps),
  },
  {
    name: 'read-compacted-ignored',
    breaks: ['CO-11'],
    description: 'Pulsar’s consumers that read compacted are given the whole log.',
    replace: pulsarLogs((log) => ({ readPulsar: (from, limits) => log.readPulsar(from, limits) })),
  },
]
