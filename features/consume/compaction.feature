Feature: Compaction keeps the last value of each key

  Kafka compacts topics of `cleanup.policy=compact` by itself; Pulsar compacts a topic when its tool says so, and shows what is
  left to those who ask for it.

  Rule: After compaction the last value of a key survives under its old offset, and consumers cross the gaps

    @CO-11 @kafka
    Scenario Outline: The last value of each key is left, of records written <how>
      Given a topic that can be compacted
      When a Kafka producer sends 60 changes of 7 keys <how>
      And the topic has been compacted
      Then a Kafka consumer receives the last value of each key, under its old offset
      And the log begins and ends where it did

      Examples:
        | how                               |
        | in one batch                      |
        | in one batch compressed with gzip |
        | one by one                        |

    @CO-11 @CO-2 @kafka
    Scenario: A consumer at an offset that is gone receives the next one
      Given a topic that can be compacted
      When a Kafka producer sends 30 changes of 12 keys in one batch
      And a Kafka producer sends 20 changes of 5 keys one by one
      And a Kafka producer sends 20 changes of 8 keys in one batch
      And the topic has been compacted
      Then reading from any offset delivers first what is left there or next after it

    @CO-11 @kafka
    Scenario: A tombstone ends its key
      Given a topic that can be compacted
      When a Kafka producer sends 40 changes of 6 keys in one batch
      And a Kafka producer sends tombstones of 3 keys
      And the topic has been compacted
      Then no value of a deleted key is left

    @CO-11 @kafka
    Scenario: Tombstones go when their time is over
      Given a topic that can be compacted, with "delete.retention.ms" set to "100"
      When a Kafka producer sends 40 changes of 6 keys one by one
      And a Kafka producer sends tombstones of 3 keys
      And the topic has been compacted, and its tombstones are gone
      Then no value of a deleted key is left
      And the log begins and ends where it did

    @CO-11 @ID-8 @kafka
    Scenario: By time, what is left is found
      Given a topic that can be compacted
      When a Kafka producer sends 12 changes of 4 keys, a second apart
      And the topic has been compacted
      Then looking up the time of each record finds the next that is left

    @CO-11 @PR-5 @kafka
    Scenario: A compacted topic takes no record without a key
      Given a compacted topic
      Then a record without a key is refused as INVALID_RECORD

    @CO-11 @kafka @pulsar
    Scenario Outline: What Pulsar wrote <how> is compacted for Kafka together with what Kafka wrote
      Given a topic that can be compacted
      When a Kafka producer sends 20 changes of 6 keys in one batch
      And a Pulsar producer sends 20 changes of 6 keys <how>
      And a Kafka producer sends 10 changes of 3 keys in one batch
      And a Pulsar producer sends tombstones of 2 keys
      And the topic has been compacted
      Then a Kafka consumer receives the last value of each key, under its old offset
      And reading from any offset delivers first what is left there or next after it
      And no value of a deleted key is left

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @CO-11 @pulsar @pulsar-admin
    Scenario Outline: Compacted by Pulsar's tool, of messages written <how>
      Given a topic
      Then Pulsar's tool says that the topic was never compacted
      When a Pulsar producer sends 50 changes of 7 keys <how>
      And Pulsar's tool compacts the topic
      Then a Pulsar reader of the compacted topic receives the last value of each key, under its old id
      And a failover consumer of the compacted topic receives the same
      And an exclusive consumer of the compacted topic receives the same
      And the whole of it is still there for those who do not ask

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @CO-11 @pulsar @pulsar-admin
    Scenario: A tombstone of Pulsar's removes its key
      Given a topic
      When a Pulsar producer sends 30 changes of 5 keys in one batch
      And a Pulsar producer sends tombstones of 2 keys
      And Pulsar's tool compacts the topic
      Then a Pulsar reader of the compacted topic receives the last value of each key, under its old id

    @CO-11 @pulsar @pulsar-admin
    Scenario: What comes after a compaction follows what it left, until the next one
      Given a topic
      When a Pulsar producer sends 30 changes of 5 keys one by one
      And Pulsar's tool compacts the topic
      And what came until now is noted
      And a Pulsar producer sends 12 changes of 5 keys one by one
      Then a Pulsar reader of the compacted topic receives the last values, and then all that came later
      When Pulsar's tool compacts the topic
      Then a Pulsar reader of the compacted topic receives the last value of each key, under its old id

    @CO-11 @pulsar
    Scenario: Only one consumer at a time reads a compacted topic
      Given a topic
      When a Pulsar producer sends 5 changes of 2 keys one by one
      Then a shared subscription to the compacted topic is refused

    @CO-11 @kafka @pulsar @pulsar-admin
    Scenario Outline: What Kafka wrote <how>, compacted by Pulsar's tool and read by Pulsar
      Given a topic
      When a Kafka producer sends 30 changes of 6 keys <how>
      And a Pulsar producer sends 20 changes of 4 keys one by one
      And Pulsar's tool compacts the topic
      Then a Pulsar reader of the compacted topic receives the last value of each key, under its old id
      And the whole of it is still there for those who do not ask

      Examples:
        | how                              |
        | in one batch                     |
        | in one batch compressed with lz4 |
        | one by one                       |
