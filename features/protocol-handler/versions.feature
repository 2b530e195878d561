Feature: The handler speaks every version that it lists

  Rule: ApiVersions lists exactly the APIs and version ranges that work; every listed version of every listed API is answered in that version's form

    @PH-3 @raw
    Scenario Outline: Every listed version of <api>
      Given a topic
      When a batch of 3 records is produced
      Then every listed version of <api> is answered in its own form

      Examples: what a producer and a consumer need
        | api          |
        | ApiVersions  |
        | Metadata     |
        | Produce      |
        | Fetch        |
        | ListOffsets  |

      Examples: what tools and modern clients need
        | api                     |
        | InitProducerId          |
        | OffsetForLeaderEpoch    |
        | CreateTopics            |
        | DeleteTopics            |
        | CreatePartitions        |
        | DeleteRecords           |
        | DescribeConfigs         |
        | AlterConfigs            |
        | IncrementalAlterConfigs |
        | DescribeCluster         |

      Examples: what groups need
        | api             |
        | FindCoordinator |
        | JoinGroup       |
        | SyncGroup       |
        | Heartbeat       |
        | LeaveGroup      |
        | OffsetCommit    |
        | OffsetFetch     |
        | ListGroups      |
        | DescribeGroups  |
        | DeleteGroups    |

      Examples: what the consumer protocol needs
        | api                    |
        | ConsumerGroupHeartbeat |
        | ConsumerGroupDescribe  |

    @PH-3 @raw
    Scenario: What no Kafka client works without is listed
      Then ApiVersions lists all that every Kafka client needs

    @PH-3 @raw
    Scenario: A version that is not listed is not answered as if it were
      When Metadata is asked in the version after the last that is listed
      Then the connection ends, or the answer names UNSUPPORTED_VERSION

  Rule: A too-new ApiVersions request is answered in version 0 form with UNSUPPORTED_VERSION, and the connection stays usable

    @PH-4 @raw
    Scenario Outline: ApiVersions <which>
      When ApiVersions is asked <which>
      Then it is answered in version 0 form with UNSUPPORTED_VERSION
      And the same connection answers Metadata

      Examples:
        | which                                   |
        | in the version after the last listed    |
        | in version 32767                        |
