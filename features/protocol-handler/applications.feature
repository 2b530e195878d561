Feature: Kafka applications work unchanged, beside Pulsar's

  The document: "By adding the KoP protocol handler to your existing Pulsar cluster, you can now migrate your existing
  Kafka applications and services to Pulsar without modifying the code. … KoP, implemented as a Pulsar protocol handler
  plugin with the protocol name "kafka", is loaded when Pulsar broker starts."

  Rule: An unmodified Kafka application connects with only its bootstrap address changed, and works

    @PH-1 @kafka
    Scenario: It manages topics, writes and reads
      Given a topic of 2 partitions
      When a Kafka producer sends 6 random records to partition 0 in one batch
      And a Kafka producer sends 4 random records to partition 1 one by one
      Then a Kafka consumer receives all of it, once and in order
      And the topic is listed, with 2 partitions

    @PH-1 @kafka
    Scenario: A lone consumer of a group resumes where it stopped
      Given a topic
      When a Kafka producer sends 8 random records in one batch
      Then a consumer of a new group reads exactly the first 5 of them
      And the group has committed offset 5
      And another consumer of the group reads exactly the other 3

  Rule: The handler is a plugin with the protocol name `kafka`, started with the broker and stopped with it; Pulsar clients of the same broker are served at the same time

    @PH-2 @kafka @pulsar
    Scenario: Applications of both worlds work on one topic
      Given a topic
      And a Kafka consumer that waits at its end
      And a Pulsar reader that waits at its end
      When after that a Kafka producer sends 3 more
      Then the consumer that waits receives exactly the next 3
      And the reader receives exactly these 3

    @PH-2 @kafka @pulsar @power-restart
    Scenario: The handler stops and starts with the broker
      Given a target of its own
      And a topic
      When a Kafka producer sends 4 random records in one batch
      And a Pulsar producer sends 3 random messages one by one
      And the target is restarted
      Then a Kafka consumer receives all of it, once and in order
      And a Pulsar reader receives all of it, once and in order
