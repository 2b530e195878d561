Feature: Topic look-up names the owner of each partition

  The document: "KoP uses the same topic lookup approach for the Kafka request handler and the Pulsar request handler.
  The request handler does topic discovery to look up all the ownerships for the requested topic partitions and responds
  with the ownership information as part of Kafka TopicMetadata back to Kafka clients."

  Rule: For every partition, the leader in Kafka TopicMetadata is the broker that Pulsar's own lookup names as owner

    @TL-1 @kafka @pulsar
    Scenario: Leaders are owners
      Given a topic of 4 partitions
      Then the leader of each partition is at the host that Pulsar's look-up names

    @TL-1 @kafka
    Scenario: Every partition has a leader among the brokers of the answer
      Given a topic of 6 partitions
      Then each of 6 partitions has a leader among the brokers

  Rule: A partition without an owner gets one by being asked for, from either side

    @TL-2 @kafka @pulsar
    Scenario: Created by Pulsar, first asked for by Kafka
      Given a Pulsar topic of 2 partitions
      When a Kafka producer sends 3 random records to partition 1 in one batch
      Then a Kafka consumer receives all of it, once and in order

    @TL-2 @kafka @pulsar
    Scenario: Created by Kafka, first asked for by Pulsar
      Given a topic of 2 partitions
      When a Pulsar producer sends 3 random messages to partition 1 one by one
      Then a Pulsar reader receives all of it, once and in order

  Rule: Metadata answers carry the advertised address of the listener that was asked

    @TL-6 @raw
    Scenario Outline: The address in the answer of <api>
      When a broker's address is asked of <api>
      Then it is the address of the listener that was asked

      Examples:
        | api             |
        | Metadata        |
        | DescribeCluster |
        | FindCoordinator |

  Rule: Deleting and recreating a topic is seen by both sides, with fresh offsets, and a new topic id where the listed versions carry one

    @TL-7 @kafka
    Scenario: A deleted topic is gone, and its successor begins at offset 0
      Given a topic
      When a Kafka producer sends 5 random records in one batch
      And Kafka deletes it and creates it again
      And a Kafka producer sends 2 random records in one batch
      Then its log reaches from offset 0 to 2
      And a Kafka consumer receives all of it, once and in order

    @TL-7 @raw
    Scenario: The successor has another topic id
      Given a topic
      When its topic id is noted, and it is deleted and created again
      Then its topic id is another one

    @TL-7 @kafka @pulsar
    Scenario: Deleted by Kafka, gone for Pulsar
      Given a topic
      When a Pulsar producer sends 5 random messages one by one
      And Kafka deletes it and creates it again
      And a Pulsar producer sends 2 random messages one by one
      Then a Pulsar reader receives all of it, once and in order

    @TL-7 @kafka @pulsar
    Scenario: Deleted by Pulsar, gone for Kafka
      Given a topic
      When a Kafka producer sends 2 random records in one batch
      And Pulsar deletes it
      Then Kafka no longer knows it
