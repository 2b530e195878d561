Feature: What a producer was told is stored, is received

  The document: "The Kafka request handler converts the Pulsar messages back to Kafka messages to allow existing Kafka
  applications to consume the messages produced by Pulsar clients."

  Rule: What a Pulsar producer was told is stored is received by a Kafka consumer: every message, once, in partition order

    @CO-1 @kafka @pulsar
    Scenario Outline: Messages written <how> reach Kafka
      Given a topic
      When a Pulsar producer sends 30 random messages <how>
      Then a Kafka consumer receives all of it, once and in order

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @CO-1 @kafka @pulsar
    Scenario: Each partition keeps its own messages and their order
      Given a topic of 3 partitions
      When a Pulsar producer sends 10 random messages to partition 2 in one batch
      And a Pulsar producer sends 10 random messages to partition 0 in one batch
      And a Pulsar producer sends 5 random messages to partition 2 one by one
      Then a Kafka consumer receives all of it, once and in order

    @CO-1 @pulsar
    Scenario Outline: Pulsar's own clients receive messages written <how>
      Given a topic
      When a Pulsar producer sends 20 random messages <how>
      Then a Pulsar reader receives all of it, once and in order

      Examples:
        | how          |
        | in one batch |
        | one by one   |

  Rule: A fetch starts at the requested offset, also in the middle of a batch

    @CO-2 @ID-5 @kafka
    Scenario Outline: In the middle of a Kafka batch, compressed with <codec>
      Given a topic
      When a Kafka producer sends 12 random records in one batch compressed with <codec>
      Then reading from the offset of each record delivers that record first

      Examples:
        | codec |
        | none  |
        | gzip  |

    @CO-2 @ID-5 @kafka @pulsar
    Scenario Outline: In the middle of a Pulsar batch, compressed with <codec>
      Given a topic
      When a Pulsar producer sends 12 random messages in one batch compressed with <codec>
      Then reading from the offset of each record delivers that record first

      Examples:
        | codec |
        | none  |
        | zlib  |

  Rule: Two consumers at different places, slow and fast, do not disturb each other

    @CO-7 @kafka
    Scenario: A slow consumer finds its place after a fast one has read on
      Given a topic
      When a Kafka producer sends 10 random records in one batch
      And a Kafka consumer that stays at the start of it
      Then the consumer that stays receives exactly the next 10
      When a Kafka producer sends 5 random records in one batch
      Then a Kafka consumer receives all of it, once and in order
      And the consumer that stays receives exactly the next 5
      And the consumer that stays, sent back to the offset of record 4, receives the rest from there

    @CO-7 @kafka @pulsar
    Scenario: A Kafka consumer does not move a Pulsar subscription
      Given a topic
      And 1 Pulsar consumer of the exclusive subscription "steady"
      When a Kafka producer sends 12 random records one by one
      And consumer 1 of "steady" receives 5 and leaves
      Then a Kafka consumer receives all of it, once and in order
      Given 1 Pulsar consumer of the exclusive subscription "steady"
      Then the consumer of "steady" that is left receives the rest, in order

  Rule: Reading leaves no durable trace: no subscription, no held-back backlog, after the consumer has gone

    @CO-3 @kafka @pulsar
    Scenario: A Kafka consumer leaves no subscription
      Given a topic
      When a Pulsar producer sends 5 random messages one by one
      Then a Kafka consumer receives all of it, once and in order
      And the topic has no subscription

    @CO-3 @pulsar
    Scenario: A Pulsar reader leaves no subscription
      Given a topic
      When a Pulsar producer sends 5 random messages one by one
      Then a Pulsar reader receives all of it, once and in order
      And the topic has no subscription
