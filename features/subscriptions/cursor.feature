Feature: The cursor of the subscription stands where the group has committed

  Rule: Its cursor stands at the committed position: what lies before is acknowledged, what follows is not, also in the middle of a batch; the backlog counts what follows, in the unit that the profile names (messages, or entries as Apache Pulsar does)

    @PT-2 @kafka @pulsar-admin
    Scenario Outline: Of 6 records, <where>
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset <offset>
      Then the subscription of group "billing" soon stands at offset <offset>

      Examples:
        | where                 | offset |
        | before the first      | 0      |
        | after the first       | 1      |
        | in the middle         | 3      |
        | before the last       | 5      |
        | at the end            | 6      |

    @PT-2 @kafka @pulsar-admin
    Scenario: Forth, back and forth again
      Given a topic
      When a Kafka producer sends 5 random records one by one
      And group "billing" commits offset 4
      Then the subscription of group "billing" soon stands at offset 4
      When group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1
      When group "billing" commits offset 3
      Then the subscription of group "billing" soon stands at offset 3

    @PT-2 @kafka @pulsar-admin
    Scenario: Each group and each partition has its own
      Given a topic of 2 partitions
      When a Kafka producer sends 4 random records to partition 0 one by one
      And a Kafka producer sends 5 random records to partition 1 one by one
      And group "billing" commits offset 1
      And group "billing" commits offset 4 of partition 1
      And group "audit" commits offset 2 of each partition
      Then the subscription of group "billing" soon stands at offset 1
      And the subscription of group "billing" soon stands at offset 4 of partition 1
      And the subscription of group "audit" soon stands at offset 2
      And the subscription of group "audit" soon stands at offset 2 of partition 1

    @PT-2 @kafka @pulsar-admin
    Scenario: At the end, when more comes
      Given a topic
      When a Kafka producer sends 3 random records one by one
      And group "billing" commits offset 3
      Then the subscription of group "billing" soon stands at offset 3
      When a Kafka producer sends 2 random records one by one
      Then the subscription of group "billing" stands at offset 3

    @PT-2 @kafka @pulsar-admin
    Scenario: As a member leaves it
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And a member of group "billing" reads 4, commits them, and stays
      And the member of group "billing" leaves
      Then the subscription of group "billing" soon stands at offset 4

    @PT-2 @kafka @pulsar @pulsar-admin
    Scenario Outline: In a batch of <world>, <where>
      Given a topic
      When a <world> producer sends 2 random <what> one by one
      And a <world> producer sends 5 random <what> in one batch
      And a <world> producer sends 2 random <what> one by one
      And group "billing" commits offset <offset>
      Then the subscription of group "billing" soon stands at offset <offset>
      And a Pulsar consumer of group "billing" receives exactly what follows offset <offset>

      Examples:
        | world  | what     | where               | offset |
        | Kafka  | records  | before its first    | 2      |
        | Kafka  | records  | after its first     | 3      |
        | Kafka  | records  | before its last     | 6      |
        | Kafka  | records  | after its last      | 7      |
        | Pulsar | messages | before its first    | 2      |
        | Pulsar | messages | after its first     | 3      |
        | Pulsar | messages | before its last     | 6      |
        | Pulsar | messages | after its last      | 7      |

    @PT-2 @kafka @pulsar @pulsar-admin @power-configure
    Scenario Outline: With "<setting>" set to "<value>", in the middle of batches of both worlds
      Given a target of its own with "<setting>" set to "<value>"
      And a topic
      When a Kafka producer sends 4 random records in one batch
      And a Pulsar producer sends 4 random messages in one batch
      And group "billing" commits offset 2
      Then the subscription of group "billing" soon stands at offset 2
      And a Pulsar consumer of group "billing" receives exactly what follows offset 2
      When group "billing" commits offset 5
      Then the subscription of group "billing" soon stands at offset 5
      And a Pulsar consumer of group "billing" receives exactly what follows offset 5

      Examples:
        | setting       | value  |
        | entryFormat   | kafka  |
        | entryFormat   | pulsar |
        | offsetMapping | packed |

    @PT-2 @kafka @pulsar @pulsar-admin @power-restart
    Scenario: In the middle of a batch, after a restart
      Given a target of its own
      And a topic
      When a Kafka producer sends 5 random records in one batch
      And group "billing" commits offset 2
      Then the subscription of group "billing" soon stands at offset 2
      When the target is restarted
      Then the subscription of group "billing" soon stands at offset 2
      And a Pulsar consumer of group "billing" receives exactly what follows offset 2
