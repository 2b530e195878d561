Feature: Every message has one offset and one message id, each computed from the other

  The document: "In Kafka, each message is assigned with an offset once the message is successfully produced to a topic
  partition. In Pulsar, each message is assigned with a MessageID. The message ID consists of ledger-id, entry-id, and
  batch-index components. KoP uses the same approach in Pulsar-Kafka wrapper to convert a Pulsar MessageID to an offset
  and vice versa."

  Rule: Every stored message has one offset and one message id (ledger, entry, batch index), and each is computed from the other: id → offset → id is the identity, and so is offset → id → offset

    @ID-1 @kafka @pulsar
    Scenario: As many offsets as message ids, in one order
      Given a topic
      When a Kafka producer sends 5 random records in one batch
      And a Pulsar producer sends 5 random messages in one batch
      And a Kafka producer sends 3 random records one by one
      And a Pulsar producer sends 3 random messages one by one
      Then offsets and message ids pair one to one, both rising

    @ID-1 @pulsar
    Scenario: The message id that a Pulsar producer is told is the one that readers see
      Given a topic
      When a Pulsar producer sends 5 random messages in one batch
      And a Pulsar producer sends 3 random messages one by one
      Then the acknowledged message ids are those that a reader sees

  Rule: Offsets strictly increase within a partition, across batches, ledger rollover, ownership moves and restarts, and are never reused

    @ID-2 @kafka
    Scenario: Across batches and single records
      Given a topic
      When a Kafka producer sends 6 random records in one batch
      And a Kafka producer sends 4 random records one by one
      And a Kafka producer sends 6 random records in one batch
      Then the offsets read rise strictly, and are those that producers were told

    @ID-2 @kafka @power-restart
    Scenario: Across a restart
      Given a target of its own
      And a topic
      When a Kafka producer sends 6 random records in one batch
      And the target is restarted
      And a Kafka producer sends 4 random records in one batch
      Then a Kafka consumer receives all of it, once and in order
      And the offsets read rise strictly, and are those that producers were told

    @ID-2 @kafka @power-kill
    Scenario: Across a kill
      Given a target of its own
      And a topic
      When a Kafka producer sends 6 random records in one batch
      And the target is killed and started again
      And a Kafka producer sends 4 random records in one batch
      Then a Kafka consumer receives all of it, once and in order
      And the offsets read rise strictly, and are those that producers were told

    @ID-2 @ID-13 @kafka @power-restart
    Scenario: Not reused when all has been deleted, and the target restarted
      Given a target of its own
      And a topic
      When a Kafka producer sends 5 random records in one batch
      And Kafka deletes the records before offset 5
      And the target is restarted
      Then its log reaches from offset 5 to 5
      When a Kafka producer sends 2 random records in one batch
      Then its log reaches from offset 5 to 7
      And a Kafka consumer receives exactly the last 2

    @ID-2 @kafka @pulsar @power-roll-over
    Scenario: Across ledgers
      Given a target of its own
      And a topic
      When a Kafka producer sends 6 random records in one batch
      And the ledger of the partition is rolled over
      And a Pulsar producer sends 4 random messages in one batch
      And the ledger of the partition is rolled over
      And a Kafka producer sends 3 random records one by one
      Then a Kafka consumer receives all of it, once and in order
      And the messages lie in at least 2 ledgers
      And the offsets read rise strictly, and are those that producers were told
      And offsets and message ids pair one to one, both rising

  Rule: The mapping itself. `index`: consecutive from the broker-entry index. `packed`: ledger 20 bits, entry 32, batch index 12. `wrapper`: ledger << 28, or entry, as in the Pulsar–Kafka wrapper. The profile names one, and every offset seen is the one that it computes

    @ID-3 @kafka @pulsar
    Scenario: As the target declares
      Given a topic
      When a Kafka producer sends 5 random records in one batch
      And a Pulsar producer sends 4 random messages in one batch
      And a Kafka producer sends 3 random records one by one
      Then every offset is the one that the declared mapping computes

    @ID-3 @kafka @pulsar @power-configure
    Scenario Outline: Set to <mapping>
      Given a target of its own with "offsetMapping" set to "<mapping>"
      And a topic
      When a Kafka producer sends 5 random records in one batch
      And a Kafka producer sends 3 random records one by one
      And a Pulsar producer sends 3 random messages one by one
      Then every offset is the one that the declared mapping computes
      And a Kafka consumer receives all of it, once and in order
      And reading from the offset of each record delivers that record first

      Examples:
        | mapping |
        | packed  |
        | wrapper |

    @ID-3 @kafka @pulsar @power-configure
    Scenario: Packed, within a Pulsar batch
      Given a target of its own with "offsetMapping" set to "packed"
      And a topic
      When a Pulsar producer sends 6 random messages in one batch
      Then every offset is the one that the declared mapping computes
      And reading from the offset of each record delivers that record first

  Rule: Under `packed` and `wrapper` a value that does not fit its bits is refused with a clear error, never wrapped around

    @ID-11 @raw @power-configure
    Scenario Outline: A Pulsar batch of <count> messages under <mapping>
      Given a target of its own with "offsetMapping" set to "<mapping>"
      And a topic
      When a Pulsar batch of <count> messages is sent to it
      Then it is refused with a reason
      And the topic holds 0 records

      Examples:
        | mapping | count |
        | packed  | 5000  |
        | wrapper | 2     |

  Rule: The real Pulsar–Kafka wrapper, as a client of the same topic, computes the same offset as the target for unbatched messages under `wrapper`

    @ID-12 @kafka @pulsar-kafka-wrapper @power-configure
    Scenario: What Kafka wrote, read by both
      Given a target of its own with "offsetMapping" set to "wrapper"
      And a topic of 2 partitions
      When a Kafka producer sends 5 records without a key one by one
      Then the wrapper reads all of it at the offsets that Kafka does

    @ID-12 @kafka @pulsar-kafka-wrapper @power-configure
    Scenario: What the wrapper wrote, read by both
      Given a target of its own with "offsetMapping" set to "wrapper"
      And a topic of 2 partitions
      When the wrapper sends 5 records
      Then Kafka reads them at the offsets that the wrapper was told
      And the wrapper reads all of it at the offsets that Kafka does

    @ID-12 @kafka @pulsar-kafka-wrapper @power-configure
    Scenario: An offset of Kafka's, sought by the wrapper
      Given a target of its own with "offsetMapping" set to "wrapper"
      And a topic of 2 partitions
      When a Kafka producer sends 3 records without a key one by one
      Then the wrapper finds each record at its Kafka offset

  Rule: Seeking Kafka to the offset of a message id, and Pulsar to the message id of an offset, arrive at the same message

    @ID-6 @kafka @pulsar
    Scenario Outline: In <what>
      Given a topic
      When a <producer> producer sends 7 random <things> in one batch
      And a Kafka producer sends 2 random records one by one
      Then seeking by offset and by message id arrive at the same messages

      Examples:
        | what           | producer | things   |
        | a Kafka batch  | Kafka    | records  |
        | a Pulsar batch | Pulsar   | messages |

  Rule: Earliest, latest and end offsets agree with Pulsar's first and last message ids

    @ID-7 @kafka @pulsar
    Scenario: Of a partition that both have written to
      Given a topic
      When a Pulsar producer sends 4 random messages in one batch
      And a Kafka producer sends 3 random records in one batch
      Then earliest and end offset are those of Pulsar's first and last message

    @ID-7 @kafka
    Scenario: Earliest and latest of an empty partition are the same
      Given a topic
      Then its log reaches from offset 0 to 0

    @ID-7 @pulsar
    Scenario: The last message id is that of the last message
      Given a topic
      When a Pulsar producer sends 4 random messages one by one
      And a Pulsar producer sends 3 random messages in one batch
      Then the last message id is that of the last message read
