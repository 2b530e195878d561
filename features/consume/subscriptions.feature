Feature: Pulsar's subscriptions and readers receive Kafka's records by their own rules

  Rule: Pulsar consumers with exclusive, failover and shared subscriptions receive Kafka's records by that type's rules

    @CO-9 @kafka @pulsar
    Scenario: An exclusive subscription has one consumer, who receives all in order
      Given a topic
      And 1 Pulsar consumer of the exclusive subscription "only"
      When a Kafka producer sends 12 random records in one batch
      Then a second consumer of the exclusive subscription "only" is refused
      And consumer 1 of "only" receives all of it, once and in order

    @CO-9 @kafka @pulsar
    Scenario: Of a failover subscription the other consumer goes on where the first stopped
      Given a topic
      And 2 Pulsar consumers of the failover subscription "spare"
      When a Kafka producer sends 12 random records one by one
      And the active consumer of "spare" receives 5 and leaves
      Then the consumer of "spare" that is left receives the rest, in order

    @CO-9 @kafka @pulsar
    Scenario: A shared subscription shares records, each to one consumer
      Given a topic
      And 2 Pulsar consumers of the shared subscription "workers"
      When a Kafka producer sends 24 random records one by one
      Then the consumers of "workers" together receive each of it exactly once, and each of them some

    @CO-9 @pulsar
    Scenario: Pulsar's own messages, exclusive
      Given a topic
      And 1 Pulsar consumer of the exclusive subscription "only"
      When a Pulsar producer sends 12 random messages in one batch
      Then a second consumer of the exclusive subscription "only" is refused
      And consumer 1 of "only" receives all of it, once and in order

    @CO-9 @pulsar
    Scenario: Pulsar's own messages, failover
      Given a topic
      And 2 Pulsar consumers of the failover subscription "spare"
      When a Pulsar producer sends 12 random messages one by one
      And the active consumer of "spare" receives 5 and leaves
      Then the consumer of "spare" that is left receives the rest, in order

    @CO-9 @pulsar
    Scenario: Pulsar's own messages, shared
      Given a topic
      And 2 Pulsar consumers of the shared subscription "workers"
      When a Pulsar producer sends 24 random messages one by one
      Then the consumers of "workers" together receive each of it exactly once, and each of them some

  Rule: Key-shared consumers receive the records of a key in order and at one consumer, also from Kafka batches of many keys

    @CO-12 @kafka @pulsar
    Scenario: Records of many keys in one Kafka batch
      Given a topic whose target keeps the keys of key-shared consumers apart
      And 2 Pulsar consumers of the key-shared subscription "by-key"
      When a Kafka producer sends 24 records of 6 keys in one batch
      Then the consumers of "by-key" receive each key at one of them, in order

    @CO-12 @pulsar
    Scenario: Pulsar's own messages of many keys
      Given a topic
      And 2 Pulsar consumers of the key-shared subscription "by-key"
      When a Pulsar producer sends 24 messages of 6 keys one by one
      Then the consumers of "by-key" receive each key at one of them, in order

  Rule: A Pulsar reader reads Kafka's records from earliest, latest and any message id

    @CO-10 @kafka @pulsar
    Scenario: From any message id, inside a batch too
      Given a topic
      When a Kafka producer sends 6 random records in one batch
      And a Kafka producer sends 4 random records one by one
      Then a Pulsar reader from the id of each message receives the rest from there

    @CO-10 @kafka @pulsar
    Scenario: From latest, only what comes later
      Given a topic
      When a Kafka producer sends 5 random records in one batch
      And a Pulsar reader that waits at its end
      And after that a Kafka producer sends 3 more
      Then the reader receives exactly these 3

    @CO-10 @pulsar
    Scenario: Of Pulsar's own messages, from any message id
      Given a topic
      When a Pulsar producer sends 6 random messages in one batch
      And a Pulsar producer sends 4 random messages one by one
      Then a Pulsar reader from the id of each message receives the rest from there
