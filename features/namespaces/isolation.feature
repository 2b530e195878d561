Feature: A tenant's clients reach nothing of another's

  What another tenant's client tries: each API by each name that it could know or guess, Pulsar's own clients, and
  Pulsar's admin REST. After each attempt everything of the tenant is looked at again.

  Rule: A tenant sees, reads, writes, lists and deletes nothing of another tenant's, nor its groups

    @MT-5 @raw @power-configure
    Scenario Outline: <api> on another tenant's topic
      Given a tenant's topic and group, and a user of another tenant
      When the other tries <api> on the topic, by each of its names and by one that is not there
      Then it is answered <answer>
      And everything of the tenant is as it was

      Examples:
        | api                     | answer                                                     |
        | Produce                 | TOPIC_AUTHORIZATION_FAILED                                 |
        | Fetch                   | TOPIC_AUTHORIZATION_FAILED                                 |
        | ListOffsets             | TOPIC_AUTHORIZATION_FAILED                                 |
        | Metadata                | TOPIC_AUTHORIZATION_FAILED                                 |
        | DescribeTopicPartitions | TOPIC_AUTHORIZATION_FAILED                                 |
        | OffsetForLeaderEpoch    | TOPIC_AUTHORIZATION_FAILED                                 |
        | OffsetCommit            | TOPIC_AUTHORIZATION_FAILED or GROUP_AUTHORIZATION_FAILED   |
        | OffsetFetch             | TOPIC_AUTHORIZATION_FAILED or GROUP_AUTHORIZATION_FAILED   |
        | OffsetDelete            | TOPIC_AUTHORIZATION_FAILED or GROUP_AUTHORIZATION_FAILED   |
        | CreateTopics            | TOPIC_AUTHORIZATION_FAILED or CLUSTER_AUTHORIZATION_FAILED |
        | DeleteTopics            | TOPIC_AUTHORIZATION_FAILED                                 |
        | DeleteRecords           | TOPIC_AUTHORIZATION_FAILED                                 |
        | CreatePartitions        | TOPIC_AUTHORIZATION_FAILED                                 |
        | DescribeConfigs         | TOPIC_AUTHORIZATION_FAILED                                 |
        | AlterConfigs            | TOPIC_AUTHORIZATION_FAILED                                 |
        | IncrementalAlterConfigs | TOPIC_AUTHORIZATION_FAILED                                 |

    @MT-5 @raw @power-configure
    Scenario Outline: <api> by the id of another tenant's topic
      Given a tenant's topic and group, and a user of another tenant
      When the other tries <api> by the id of the topic
      Then it is answered <answer>
      And everything of the tenant is as it was

      Examples:
        | api          | answer                                         |
        | Metadata     | TOPIC_AUTHORIZATION_FAILED or UNKNOWN_TOPIC_ID |
        | Fetch        | TOPIC_AUTHORIZATION_FAILED or UNKNOWN_TOPIC_ID |
        | DeleteTopics | TOPIC_AUTHORIZATION_FAILED or UNKNOWN_TOPIC_ID |

    @MT-5 @raw @power-configure
    Scenario Outline: <api> on another tenant's group, by its name and its member's id
      Given a tenant's topic and group, and a user of another tenant
      When the other tries <api> on the group, from its own namespace
      Then it is answered <answer>
      And everything of the tenant is as it was

      Examples:
        | api                    | answer                                  |
        | FindCoordinator        | NONE                                    |
        | JoinGroup              | UNKNOWN_MEMBER_ID                       |
        | SyncGroup              | UNKNOWN_MEMBER_ID                       |
        | Heartbeat              | UNKNOWN_MEMBER_ID                       |
        | LeaveGroup             | UNKNOWN_MEMBER_ID                       |
        | ConsumerGroupHeartbeat | UNKNOWN_MEMBER_ID or GROUP_ID_NOT_FOUND |
        | ConsumerGroupDescribe  | GROUP_ID_NOT_FOUND                      |
        | DescribeGroups         | NONE or GROUP_ID_NOT_FOUND              |
        | ListGroups             | NONE                                    |
        | DeleteGroups           | GROUP_ID_NOT_FOUND                      |
        | OffsetCommit           | UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION |
        | OffsetFetch            | NONE                                    |
        | OffsetDelete           | GROUP_ID_NOT_FOUND                      |

    @MT-5 @raw @power-configure
    Scenario Outline: <api> on a group, by a client that says it works in the other's namespace
      Given a tenant's topic and group, and a user of another tenant
      When the other tries <api> on the group, from within its namespace
      Then it is answered <answer>
      And everything of the tenant is as it was

      Examples:
        | api                    | answer                     |
        | FindCoordinator        | GROUP_AUTHORIZATION_FAILED |
        | JoinGroup              | GROUP_AUTHORIZATION_FAILED |
        | SyncGroup              | GROUP_AUTHORIZATION_FAILED |
        | Heartbeat              | GROUP_AUTHORIZATION_FAILED |
        | LeaveGroup             | GROUP_AUTHORIZATION_FAILED |
        | ConsumerGroupHeartbeat | GROUP_AUTHORIZATION_FAILED |
        | ConsumerGroupDescribe  | GROUP_AUTHORIZATION_FAILED |
        | DescribeGroups         | GROUP_AUTHORIZATION_FAILED |
        | ListGroups             | NONE                       |
        | DeleteGroups           | GROUP_AUTHORIZATION_FAILED |
        | OffsetCommit           | GROUP_AUTHORIZATION_FAILED |
        | OffsetFetch            | GROUP_AUTHORIZATION_FAILED |
        | OffsetDelete           | GROUP_AUTHORIZATION_FAILED |

    @MT-5 @raw @power-configure
    Scenario Outline: <api> is for super users
      Given a tenant's topic and group, and a user of another tenant
      When the other tries <api> on the cluster
      Then it is answered CLUSTER_AUTHORIZATION_FAILED
      And the tenant's user has its old password

      Examples:
        | api                          |
        | DescribeUserScramCredentials |
        | AlterUserScramCredentials    |
        | DescribeClientQuotas         |
        | DescribeConfigs              |
        | IncrementalAlterConfigs      |

    @MT-5 @raw @power-configure
    Scenario Outline: <api> tells nothing of another tenant
      Given a tenant's topic and group, and a user of another tenant
      When the other tries <api>, which names nothing of anybody
      Then it is answered NONE

      Examples:
        | api             |
        | ApiVersions     |
        | DescribeCluster |
        | InitProducerId  |

    @MT-5 @raw @power-configure
    Scenario: No API that is listed was forgotten
      Given a tenant's topic and group, and a user of another tenant
      Then every API that the target lists has been tried by these scenarios

    @MT-5 @raw @power-configure
    Scenario: Listings of topics, groups and offsets
      Given a tenant's topic and group, and a user of another tenant
      Then nothing that the other is listed names the topic, the group or the tenant

    @MT-5 @pulsar @raw @power-configure
    Scenario Outline: A Pulsar client tries to <what>
      Given a tenant's topic and group, and a user of another tenant
      When the other's Pulsar client tries to <what>
      Then it is refused
      And everything of the tenant is as it was

      Examples:
        | what                     |
        | write to it              |
        | subscribe to it          |
        | read from it             |
        | ask for the last message |
        | ask for the partitions   |

    @MT-5 @raw @power-configure
    Scenario Outline: The admin REST, asked for <what>
      Given a tenant's topic and group, and a user of another tenant
      When the other asks the admin REST for <request>
      Then it is forbidden, and without a right token it is unauthorized
      And everything of the tenant is as it was

      Examples:
        | what                          | request                                                                                     |
        | its topics                    | GET persistent/NAMESPACE                                                                    |
        | its partitioned topics        | GET persistent/NAMESPACE/partitioned                                                        |
        | a new topic                   | PUT persistent/NAMESPACE/new                                                                |
        | a new partitioned topic       | PUT persistent/NAMESPACE/new/partitions with 3                                              |
        | more partitions               | POST TOPIC/partitions with 5                                                                |
        | the partitions                | GET TOPIC/partitions                                                                        |
        | the deletion of the topic     | DELETE TOPIC/partitions?force=true                                                          |
        | the deletion of a partition   | DELETE PARTITION?force=true                                                                 |
        | stats                         | GET PARTITION/stats                                                                         |
        | stats of all partitions       | GET TOPIC/partitioned-stats                                                                 |
        | internal stats                | GET PARTITION/internalStats                                                                 |
        | the last message's id         | GET PARTITION/lastMessageId                                                                 |
        | the topic's end               | POST PARTITION/terminate                                                                    |
        | truncation                    | DELETE PARTITION/truncate                                                                   |
        | compaction                    | PUT PARTITION/compaction                                                                    |
        | unloading                     | PUT PARTITION/unload                                                                        |
        | its subscriptions             | GET PARTITION/subscriptions                                                                 |
        | a new subscription            | PUT PARTITION/subscription/mine                                                             |
        | a reset of the group          | POST PARTITION/subscription/GROUP/resetcursor/0                                             |
        | a skip                        | POST PARTITION/subscription/GROUP/skip/1                                                    |
        | a clearing                    | POST PARTITION/subscription/GROUP/skip_all                                                  |
        | an expiry                     | POST PARTITION/subscription/GROUP/expireMessages/0                                          |
        | a peek                        | GET PARTITION/subscription/GROUP/position/1                                                 |
        | the deletion of the group     | DELETE PARTITION/subscription/GROUP?force=true                                              |
        | an examination                | GET PARTITION/examinemessage                                                                |
        | the topic's permissions       | GET TOPIC/permissions                                                                       |
        | a right on the topic          | POST TOPIC/permissions/mine with ["produce"]                                                |
        | the namespace's policies      | GET namespaces/NAMESPACE                                                                    |
        | its retention                 | GET namespaces/NAMESPACE/retention                                                          |
        | another retention             | POST namespaces/NAMESPACE/retention with {"retentionTimeInMinutes":1,"retentionSizeInMB":1} |
        | another time to live          | POST namespaces/NAMESPACE/messageTTL with 1                                                 |
        | its permissions               | GET namespaces/NAMESPACE/permissions                                                        |
        | a right on the namespace      | POST namespaces/NAMESPACE/permissions/mine with ["produce","consume"]                       |
        | the deletion of the namespace | DELETE namespaces/NAMESPACE?force=true                                                      |
        | the tenant's namespaces       | GET namespaces/TENANT                                                                       |
        | a namespace of the tenant's   | PUT namespaces/TENANT/mine with {}                                                          |
        | the tenant                    | GET tenants/TENANT                                                                          |
        | the tenant's change           | POST tenants/TENANT with {"adminRoles":["mine"],"allowedClusters":["standalone"]}           |
        | the tenant's deletion         | DELETE tenants/TENANT                                                                       |
        | all tenants                   | GET tenants                                                                                 |
        | a tenant of its own           | PUT tenants/mine with {"adminRoles":[],"allowedClusters":["standalone"]}                    |
