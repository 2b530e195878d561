Feature: Pulsar's tools move Kafka's groups

  The document: "managing" Kafka's groups is what Pulsar's administrators do already.

  Rule: Resetting, skipping or clearing that subscription with Pulsar's tools moves the group: its next start resumes there

    @PT-3 @kafka @pulsar-admin
    Scenario Outline: Reset from offset <from> to the message at offset <to>
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset <from>
      Then the subscription of group "billing" soon stands at offset <from>
      When Pulsar's tool resets group "billing" to the message at offset <to>
      Then the subscription of group "billing" stands at offset <to>
      And group "billing" has committed offset <to>
      And group "billing" starts, and receives exactly what follows offset <to>

      Examples:
        | from | to |
        | 4    | 0  |
        | 4    | 2  |
        | 1    | 5  |
        | 0    | 3  |

    @PT-3 @kafka @pulsar-admin
    Scenario: Reset back and forth, and read on from there
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 6
      Then the subscription of group "billing" soon stands at offset 6
      When Pulsar's tool resets group "billing" to the message at offset 1
      Then group "billing" starts, and receives exactly what follows offset 1
      When Pulsar's tool resets group "billing" to the message at offset 4
      Then group "billing" starts, and receives exactly what follows offset 4
      When Pulsar's tool resets group "billing" to the message at offset 2
      Then group "billing" starts at offset 2, reads 2 and commits them
      And group "billing" has committed offset 4
      And the subscription of group "billing" soon stands at offset 4

    @PT-3 @kafka @pulsar-admin
    Scenario: A reset just after a commit stays
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 2
      Then the subscription of group "billing" soon stands at offset 2
      When group "billing" commits offset 5
      And Pulsar's tool resets group "billing" to the message at offset 1
      Then the sync of all that was committed has come through
      And group "billing" has committed offset 1
      And the subscription of group "billing" stands at offset 1
      And group "billing" starts, and receives exactly what follows offset 1

    @PT-3 @kafka @pulsar-admin
    Scenario: A commit after a reset moves on from there, and back
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 5
      Then the subscription of group "billing" soon stands at offset 5
      When Pulsar's tool resets group "billing" to the message at offset 3
      And group "billing" commits offset 4
      Then the subscription of group "billing" soon stands at offset 4
      When Pulsar's tool resets group "billing" to the message at offset 3
      And group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1
      And group "billing" has committed offset 1

    @PT-3 @kafka @pulsar-admin
    Scenario: One group is moved, the other stays, and so does the other partition
      Given a topic of 2 partitions
      When a Kafka producer sends 4 random records to partition 0 one by one
      And a Kafka producer sends 4 random records to partition 1 one by one
      And group "billing" commits offset 3 of each partition
      And group "audit" commits offset 3 of each partition
      Then the subscription of group "billing" soon stands at offset 3
      When Pulsar's tool resets group "billing" to the message at offset 1
      Then group "billing" has committed offset 1
      And group "billing" has committed offset 3 of partition 1
      And group "audit" has committed offset 3
      And group "audit" has committed offset 3 of partition 1

    @PT-3 @kafka @pulsar @pulsar-admin
    Scenario Outline: Reset to the middle of a batch of <world>
      Given a topic
      When a <world> producer sends 5 random <what> in one batch
      And group "billing" commits offset 5
      Then the subscription of group "billing" soon stands at offset 5
      When Pulsar's tool resets group "billing" to the message at offset 2
      Then group "billing" has committed offset 2
      And group "billing" starts, and receives exactly what follows offset 2

      Examples:
        | world  | what     |
        | Kafka  | records  |
        | Pulsar | messages |

    @PT-3 @kafka @pulsar-admin
    Scenario: Reset to a time
      Given a topic
      When a Kafka producer sends 3 random records one by one
      And 3 seconds later a Kafka producer sends 3 random records one by one
      And group "billing" commits offset 6
      Then the subscription of group "billing" soon stands at offset 6
      When Pulsar's tool resets group "billing" to the time between
      Then group "billing" has committed offset 3
      And group "billing" starts, and receives exactly what follows offset 3

    @PT-3 @kafka @pulsar-admin
    Scenario: Reset to a time, on all partitions together
      Given a topic of 2 partitions
      When a Kafka producer sends 2 random records to partition 0 one by one
      And a Kafka producer sends 2 random records to partition 1 one by one
      And 3 seconds later a Kafka producer sends 2 random records one by one to each partition
      And group "billing" commits offset 4 of each partition
      Then the subscription of group "billing" soon stands at offset 4
      And the subscription of group "billing" soon stands at offset 4 of partition 1
      When Pulsar's tool resets group "billing" to the time between on the topic as a whole
      Then group "billing" has committed offset 2
      And group "billing" has committed offset 2 of partition 1
      And group "billing" starts, and receives exactly what follows offset 2 of each partition

    @PT-3 @kafka @pulsar-admin
    Scenario: Skipping
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1
      When Pulsar's tool skips 3 of group "billing"
      Then the subscription of group "billing" stands at offset 4
      And group "billing" has committed offset 4
      And group "billing" starts, and receives exactly what follows offset 4

    @PT-3 @kafka @pulsar-admin
    Scenario: Clearing the backlog
      Given a topic
      When a Kafka producer sends 5 random records one by one
      And group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1
      When Pulsar's tool clears the backlog of group "billing"
      Then the subscription of group "billing" stands at offset 5
      And group "billing" has committed offset 5
      When a Kafka producer sends 2 random records one by one
      Then group "billing" starts, and receives exactly what follows offset 5

    @PT-3 @kafka @pulsar-admin
    Scenario: Clearing the backlog of all partitions together
      Given a topic of 2 partitions
      When a Kafka producer sends 3 random records to partition 0 one by one
      And a Kafka producer sends 4 random records to partition 1 one by one
      And group "billing" commits offset 1 of each partition
      Then the subscription of group "billing" soon stands at offset 1
      And the subscription of group "billing" soon stands at offset 1 of partition 1
      When Pulsar's tool clears the backlog of group "billing" on the topic as a whole
      Then group "billing" has committed offset 3
      And group "billing" has committed offset 4 of partition 1

    @PT-3 @kafka @pulsar-admin
    Scenario: Expiring what is old
      Given a topic
      When a Kafka producer sends 3 random records one by one
      And group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1
      When 4 seconds later a Kafka producer sends 2 random records one by one
      And Pulsar's tool expires what group "billing" has not read and was sent before
      Then the subscription of group "billing" soon stands at offset 3
      And group "billing" soon has committed offset 3
      And group "billing" starts, and receives exactly what follows offset 3

    @PT-3 @kafka @pulsar-admin @power-kill
    Scenario: What a tool has moved is durable
      Given a target of its own
      And a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 5
      Then the subscription of group "billing" soon stands at offset 5
      When Pulsar's tool resets group "billing" to the message at offset 2
      And the target is killed and started again
      Then group "billing" has committed offset 2
      And the subscription of group "billing" soon stands at offset 2
      And group "billing" starts, and receives exactly what follows offset 2

    @PT-3 @kafka @pulsar-admin
    Scenario: A member that is active starts again where the tool says
      Given the target lets a tool win over members
      And a topic
      When a Kafka producer sends 6 random records one by one
      And a member of group "billing" reads 6, commits them, and stays
      Then the subscription of group "billing" soon stands at offset 6
      When Pulsar's tool resets group "billing" to the message at offset 2
      Then the member of group "billing" receives what follows offset 2
      When the member of group "billing" commits what it received
      Then group "billing" has committed offset 6
      And the subscription of group "billing" soon stands at offset 6

    @PT-3 @raw @pulsar-admin
    Scenario: A commit of the generation before the tool's move is refused
      Given the target lets a tool win over members
      And a topic whose offsets are consecutive
      And a group of "A"
      When a batch of 5 records is produced to partition 0
      And "A" sends OffsetCommit
      Then Pulsar's tool soon lists the group
      When Pulsar's tool clears the backlog of the group
      And "A" sends OffsetCommit
      Then the answer is ILLEGAL_GENERATION or REBALANCE_IN_PROGRESS or UNKNOWN_MEMBER_ID
      And all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 5      |

    @PT-3 @kafka @pulsar @pulsar-admin
    Scenario: A Pulsar consumer's seek moves the group
      Given the target declares that Pulsar consumers are members-exclude
      And a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 5
      Then the subscription of group "billing" soon stands at offset 5
      When a Pulsar consumer subscribes as group "billing"
      And the Pulsar consumer of group "billing" seeks to the message at offset 2
      And the Pulsar consumer of group "billing" leaves
      Then group "billing" has committed offset 2
      And group "billing" starts, and receives exactly what follows offset 2
