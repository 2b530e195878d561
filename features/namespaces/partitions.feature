Feature: A topic has the same partitions on both sides

  Rule: A Kafka topic of N partitions is a partitioned Pulsar topic of N partitions, whichever side created it; raising N on one side is seen on the other

    @MT-9 @kafka @pulsar
    Scenario Outline: Created by Kafka with <count>
      Given a topic of <count> partitions
      Then Pulsar sees <count> partitions

      Examples:
        | count |
        | 1     |
        | 5     |

    @MT-9 @kafka @pulsar
    Scenario: Created by Pulsar
      Given a Pulsar topic of 4 partitions
      Then Kafka sees 4 partitions
      When a Pulsar producer sends 3 random messages to partition 3 one by one
      Then a Kafka consumer receives all of it, once and in order

    @MT-9 @kafka @pulsar
    Scenario: Raised by Kafka
      Given a topic of 2 partitions
      When Kafka raises it to 5 partitions
      Then Pulsar sees 5 partitions
      When a Kafka producer sends 3 random records to partition 4 in one batch
      Then a Pulsar reader receives all of it, once and in order

    @MT-9 @kafka @pulsar
    Scenario: Raised by Pulsar
      Given a topic of 2 partitions
      When Pulsar raises it to 3 partitions
      Then Kafka sees 3 partitions
      When a Pulsar producer sends 3 random messages to partition 2 one by one
      Then a Kafka consumer receives all of it, once and in order

    @MT-9 @kafka
    Scenario: Old partitions keep their records when the number is raised
      Given a topic of 1 partition
      When a Kafka producer sends 3 random records in one batch
      And Kafka raises it to 3 partitions
      And a Kafka producer sends 3 random records to partition 2 in one batch
      Then Kafka sees 3 partitions
      And a Kafka consumer receives all of it, once and in order

  Rule: A Pulsar topic without partitions is seen from Kafka, as a topic of one partition

    @MT-12 @kafka @pulsar
    Scenario: It is read and written from Kafka
      Given a Pulsar topic without partitions whose target shows it to Kafka
      When a Pulsar producer sends 3 random messages one by one
      Then Kafka sees 1 partition
      When a Kafka producer sends 3 random records in one batch
      Then a Kafka consumer receives all of it, once and in order
      And a Pulsar reader receives all of it, once and in order

  Rule: Metadata for an unknown topic with auto-creation off creates nothing

    @MT-10 @raw
    Scenario: The client does not want it created
      When metadata of an unknown topic is asked with creation forbidden
      Then the answer is UNKNOWN_TOPIC_OR_PARTITION
      And no topic of that name is listed

    @MT-10 @kafka
    Scenario: A client that lists and describes creates nothing
      When a Kafka client asks for an unknown topic
      Then it is told UNKNOWN_TOPIC_OR_PARTITION, and the topic is not listed

    @MT-10 @raw @power-configure
    Scenario: The administrator does not want it created
      Given a target of its own with "allowAutoTopicCreation" set to "false"
      When metadata of an unknown topic is asked with creation allowed
      Then the answer is UNKNOWN_TOPIC_OR_PARTITION
      And no topic of that name is listed

  Rule: System topics are not offered to Kafka clients as user topics; asked for by name they are marked internal

    @MT-11 @raw
    Scenario: A system topic that is there from the beginning
      Given a system topic of the target
      When its metadata is asked by its name
      Then it is marked internal
      And every listed topic of a system name is marked internal

    @MT-11 @raw
    Scenario: Of what is listed
      When a client asks who coordinates a group
      Then every listed topic of a system name is marked internal

    @MT-11 @raw @pulsar @power-configure
    Scenario: A system topic of Pulsar in the namespace of Kafka's topics
      Given a target of its own
      When Pulsar writes to the system topic "__change_events" of the namespace
      Then Kafka's metadata marks "__change_events" internal
      And every listed topic of a system name is marked internal
