Feature: What a producer was told is stored, is stored

  The document: "When the Kafka request handler receives produced messages from a Kafka client, it converts Kafka
  messages to Pulsar messages … and uses the ManagedLedger append API to append those converted Pulsar messages to
  BookKeeper. Converting Kafka messages to Pulsar messages allows existing Pulsar applications to consume messages
  produced by Kafka clients."

  Rule: What a Kafka producer was told is stored is received by a Pulsar consumer: every record, once, in partition order

    @PR-1 @kafka @pulsar
    Scenario Outline: Records written <how> reach Pulsar
      Given a topic
      When a Kafka producer sends 30 random records <how>
      Then a Pulsar reader receives all of it, once and in order

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @PR-1 @kafka @pulsar
    Scenario: Each partition keeps its own records and their order
      Given a topic of 3 partitions
      When a Kafka producer sends 10 random records to partition 2 in one batch
      And a Kafka producer sends 10 random records to partition 0 in one batch
      And a Kafka producer sends 10 random records to partition 2 one by one
      Then a Pulsar reader receives all of it, once and in order

    @PR-1 @kafka
    Scenario: Batch after batch, nothing is lost, repeated or swapped
      Given a topic
      When a Kafka producer sends 25 random records in one batch
      And a Kafka producer sends 5 random records one by one
      And a Kafka producer sends 25 random records in one batch
      Then a Kafka consumer receives all of it, once and in order

  Rule: acks 0, 1 and all mean what Kafka says; acks=0 gets no response bytes

    @PR-2 @kafka
    Scenario Outline: Records sent with acks <acks> are stored
      Given a topic
      When a Kafka producer sends 5 random records with acks <acks>
      And a Kafka producer sends 1 random record
      Then a Kafka consumer receives all of it, once and in order

      Examples:
        | acks |
        | 1    |
        | all  |

    @PR-2 @raw
    Scenario: A request with acks 0 gets no response bytes, and its record is stored
      Given a topic
      When one write carries a produce request with acks 0 and a metadata request
      Then the only answer is that to the metadata request
      And the topic holds 1 record

  Rule: A record is acknowledged only once the managed ledger has it durably by the configured policy; a failed append is an error to the client, never a silent loss

    @PR-3 @kafka @power-kill
    Scenario: What was acknowledged to a Kafka producer survives a kill
      Given a target of its own
      And a topic
      When a Kafka producer sends 20 random records in one batch
      And a Kafka producer sends 10 random records one by one
      And the target is killed and started again
      Then a Kafka consumer receives all of it, once and in order

    @PR-3 @pulsar @power-kill
    Scenario: What was acknowledged to a Pulsar producer survives a kill
      Given a target of its own
      And a topic
      When a Pulsar producer sends 10 random messages in one batch
      And a Pulsar producer sends 10 random messages one by one
      And the target is killed and started again
      Then a Pulsar reader receives all of it, once and in order

    @PR-3 @kafka @power-fail-store
    Scenario: A failed append is an error to the client, and harms nothing acknowledged before
      Given a target of its own
      And a topic
      When a Kafka producer sends 10 random records in one batch
      And the target’s store begins to fail
      Then a Kafka producer that sends 3 more is told of an error
      When the target’s store is mended
      Then a Kafka consumer receives at least all of it, the acknowledged records first

    @PR-3 @raw @power-fail-store
    Scenario: The answer to a request whose append fails names an error, and offsets go on when the store is mended
      Given a target of its own
      And a topic
      When a batch of 3 records is produced
      And the target’s store begins to fail
      Then a batch of 2 records is answered with an error
      When the target’s store is mended
      And a batch of 2 records is produced
      Then what was acknowledged is fetched under its offsets

  Rule: Kafka and Pulsar producers writing to one partition at once interleave without loss, and both kinds of consumer see the same order

    @PR-7 @kafka @pulsar
    Scenario: Both kinds of consumer see one order
      Given a topic
      When a Kafka and a Pulsar producer write 20 records each to it at the same time
      Then a Kafka consumer and a Pulsar consumer receive all of it, in the same order

    @PR-7 @kafka @pulsar
    Scenario: Batches of both kinds follow one another
      Given a topic
      When a Kafka producer sends 5 random records in one batch
      And a Pulsar producer sends 5 random messages in one batch
      And a Kafka producer sends 5 random records in one batch
      And a Pulsar producer sends 5 random messages one by one
      Then a Kafka consumer receives all of it, once and in order
      And a Pulsar reader receives all of it, once and in order

  Rule: Kafka's partitioner choice is kept: the record is in the Pulsar partition of the same number

    @PR-8 @kafka @pulsar
    Scenario: The client's own choice by key
      Given a topic of 4 partitions
      When a Kafka producer sends 24 records with random keys, leaving the partition to the client
      Then each Pulsar partition holds exactly the records that were placed in it

    @PR-8 @kafka
    Scenario: A partition named by the producer
      Given a topic of 3 partitions
      When a Kafka producer sends 4 random records to partition 1 in one batch
      And a Kafka producer sends 3 random records to partition 2 in one batch
      Then a Kafka consumer receives all of it, once and in order
