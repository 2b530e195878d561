import { type Failure, fail, isFailure } from '../failure.js'
import type { PulsarService } from '../service.js'
import type { Handler } from '../session.js'
import { PartitionMetadataResult, ServerError } from '../wire/commands.js'

/**
 * PARTITIONED_METADATA: how many partitions a topic has; 0 for one without. A missing topic is created here when
 * `allowAutoTopicCreationType` is `partitioned`; topics without partitions are created when they are first used.
 */
export const partitionedMetadata: Handler<'PARTITIONED_METADATA'> = async (session, body) => {
  const { requestId } = body
  const answer = await partitionsOf(session.service, body.topic, body.metadataAutoCreationEnabled ?? true)
  if (typeof answer === 'number')
    session.send('PARTITIONED_METADATA_RESPONSE', {
      requestId,
      partitions: answer,
      response: PartitionMetadataResult.Success,
    })
  else
    session.send('PARTITIONED_METADATA_RESPONSE', {
      requestId,
      response: PartitionMetadataResult.Failed,
      error: ServerError[answer.failed],
      message: answer.message,
    })
}

async function partitionsOf(
  service: PulsarService,
  text: string,
  mayCreate: boolean,
): Promise<number | Failure> {
  const name = service.parse(text)
  if (isFailure(name)) return name
  const { catalog, config } = service.context
  const info = catalog.find(name.literal)
  if (info !== undefined) return info.partitions
  if (name.partition !== undefined) {
    const base = catalog.find(name.base)
    if (base !== undefined && name.partition < base.partitions) return 0
    return fail('TopicNotFound', `Topic ${text} does not exist`)
  }
  if (!mayCreate || !config.allowAutoTopicCreation)
    return fail('TopicNotFound', `Topic ${text} does not exist`)
  if (config.allowAutoTopicCreationType === 'non-partitioned') return 0
  const created = await service.autoCreate(name, config.defaultNumPartitions)
  return isFailure(created) ? created : created.partitions
}
