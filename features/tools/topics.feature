Feature: Tools of both sides manage the same topics

  Rule: A Kafka topic of N partitions is a partitioned Pulsar topic of N partitions, whichever side created it; raising N on one side is seen on the other

    @MT-9 @kafka @pulsar-admin
    Scenario: Pulsar's tool sees, and raises, the partitions of a topic of Kafka
      Given a topic of 2 partitions
      Then Pulsar's tool lists the topic with 2 partitions
      When Pulsar's tool raises it to 5 partitions
      Then Kafka sees 5 partitions
      And Pulsar's tool lists the topic with 5 partitions

    @MT-9 @pulsar @kafka-admin
    Scenario: Kafka's tool sees, and raises, the partitions of a topic of Pulsar
      Given a Pulsar topic of 3 partitions
      Then Kafka's tool lists the topic with 3 partitions
      When Kafka's tool raises it to 4 partitions
      Then Pulsar sees 4 partitions
      And Kafka's tool lists the topic with 4 partitions

    @MT-9 @pulsar-admin @kafka-admin
    Scenario: What one side's tool creates, the other side's deletes
      When Kafka's tool creates a topic of 3 partitions
      Then Pulsar's tool lists the topic with 3 partitions
      When Pulsar's tool deletes the topic
      Then Kafka's tool does not list the topic
      When Pulsar's tool creates a topic of 2 partitions
      Then Kafka's tool lists the topic with 2 partitions
      When Kafka's tool deletes the topic
      Then Pulsar's tool does not list the topic
