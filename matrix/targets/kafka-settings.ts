import { join } from 'node:path'

export type Properties = Readonly<Record<string, string | number>>

/** Where one node listens. */
export interface NodePorts {
  readonly plain: number
  readonly sasl: number
  /** Of the controller beside the broker, or of ZooKeeper. */
  readonly metadata: number
}

/** Settings of one node that is broker and controller, with its data under `dataDir`. */
export function kafkaSettings(
  dataDir: string,
  port: number,
  controllerPort: number,
): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    // A killed broker is taken for alive until its session ends, and its successor must wait for that.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    ...brokerSettings(dataDir),
  }
}

/** One node of a version that keeps its metadata in ZooKeeper. */
export function settingsWithZooKeeper(dataDir: string, ports: NodePorts): Properties {
  return {
    'broker.id': 1,
    'zookeeper.connect': `127.0.0.1:${ports.metadata}`,
    'zookeeper.session.timeout.ms': ZOOKEEPER_SESSION_MS,
    listeners: `PLAINTEXT://127.0.0.1:${ports.plain}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.plain}`,
    ...brokerSettings(dataDir),
    ...withPasswords(ports, ''),
  }
}

/** One node of KRaft, with a listener that asks for a password. */
export function settingsWithController(dataDir: string, ports: NodePorts): Properties {
  return {
    ...kafkaSettings(dataDir, ports.plain, ports.metadata),
    ...withPasswords(ports, `,CONTROLLER://127.0.0.1:${ports.metadata}`),
  }
}

/** Long enough for a busy machine; a killed broker's successor waits until it is over. */
const ZOOKEEPER_SESSION_MS = 6000

function brokerSettings(dataDir: string): Properties {
  return {
    'log.dirs': join(dataDir, 'log'),
    'num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Scenarios wait for members to time out, and for commits to be dropped.
    'group.min.session.timeout.ms': 100,
    'group.consumer.min.heartbeat.interval.ms': 100,
    'group.consumer.heartbeat.interval.ms': 200,
    'group.consumer.min.session.timeout.ms': 1000,
    // Long enough for a member to be heard of again after its broker was killed and has loaded the group.
    'group.consumer.session.timeout.ms': 6000,
    // Not more often: each look also deletes a group whose first member has only been given its id, and not come back yet.
    'offsets.retention.check.interval.ms': 5000,
    // And for logs to be compacted.
    'log.cleaner.backoff.ms': 200,
  }
}

/** A further listener that asks for a password; scenarios make its users. The first one asks nobody for anything. */
function withPasswords(ports: NodePorts, ofController: string): Properties {
  const ofClients = `PLAINTEXT://127.0.0.1:${ports.plain},SASL_PLAINTEXT://127.0.0.1:${ports.sasl}`
  const jaas = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const mechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512']
  const protocols = ['PLAINTEXT:PLAINTEXT', 'SASL_PLAINTEXT:SASL_PLAINTEXT']
  if (ofController !== '') protocols.push('CONTROLLER:PLAINTEXT')
  return {
    listeners: `${ofClients}${ofController}`,
    'advertised.listeners': ofClients,
    'listener.security.protocol.map': protocols.join(','),
    'sasl.enabled.mechanisms': mechanisms.join(','),
    ...Object.fromEntries(
      mechanisms.map((each) => [`listener.name.sasl_plaintext.${each.toLowerCase()}.sasl.jaas.config`, jaas]),
    ),
  }
}

/** `zoo.cfg` of a ZooKeeper for one broker. */
export function zooKeeperSettings(dataDir: string, port: number): Properties {
  return {
    dataDir: join(dataDir, 'zookeeper'),
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    tickTime: 1000,
    'admin.enableServer': 'false',
    // `dump` names the nodes that end with their sessions.
    '4lw.commands.whitelist': 'srvr,dump',
  }
}
