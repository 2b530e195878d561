import { describeCluster as table } from '../messages/60-describe-cluster.js'
import { errorCode } from '../wire/errors.js'
import { clusterOperations, operationsOmitted } from './authorized-operations.js'
import { handler } from './handler.js'

const brokersEndpoint = 1

/** DescribeCluster v0 to v2: brokers with the addresses of the listener that was asked. There are no controllers to list. */
export const describeCluster = handler(table, async (request, call) => {
  const { broker, connection } = call
  const asksForBrokers = request.endpointType === brokersEndpoint
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(asksForBrokers ? 'NONE' : 'MISMATCHED_ENDPOINT_TYPE'),
    errorMessage: asksForBrokers ? null : 'this is a broker; it has no list of controllers',
    endpointType: brokersEndpoint,
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    brokers: asksForBrokers
      ? broker
          .brokers(connection.listener)
          .map(({ nodeId, host, port }) => ({ brokerId: nodeId, host, port }))
      : [],
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? clusterOperations(call.access)
      : operationsOmitted,
  }
})
