Feature: A fetch waits for data, and wakes when it comes

  Rule: Without data Fetch waits for min bytes or max wait, and answers at once when data arrives, from either side

    @CO-4 @raw
    Scenario: Without data it waits as long as it was told to
      Given a topic
      When the end of the log is fetched with a wait of 400 ms
      Then the answer is empty and comes after at least 400 ms, and within 3 s

    @CO-4 @raw
    Scenario: It answers when a Kafka producer writes
      Given a topic
      When the end of the log is fetched with a wait of 20 s, and a record is produced meanwhile
      Then the answer holds that record and comes long before the wait is over

    @CO-4 @raw
    Scenario: It waits for the bytes it was told to wait for
      Given a topic
      When the end of the log is fetched with a wait of 20 s for 1000 bytes, and records are produced meanwhile
      Then the answer holds at least 1000 bytes

    @CO-4 @raw @pulsar
    Scenario: It answers at once when a Pulsar producer writes
      Given a topic
      When the end of the log is fetched with a wait of 20 s, and a Pulsar producer sends a message meanwhile
      Then the answer holds that record and comes long before the wait is over

    @CO-4 @kafka @pulsar
    Scenario: A waiting client receives what a Pulsar producer writes
      Given a topic
      And a Kafka consumer that waits at its end
      When after that a Pulsar producer sends 3 more
      Then the consumer that waits receives exactly the next 3

    @CO-4 @kafka
    Scenario: A waiting client receives what a Kafka producer writes
      Given a topic
      When a Kafka producer sends 4 random records in one batch
      And a Kafka consumer that waits at its end
      And after that a Kafka producer sends 3 more
      Then the consumer that waits receives exactly the next 3

  Rule: Beyond the log's ends Fetch answers OFFSET_OUT_OF_RANGE; at its end it waits

    @ID-9 @raw
    Scenario Outline: A fetch <place> is out of range
      Given a topic
      When a batch of 5 records is produced
      And records before offset 2 are deleted
      And offset <offset> is fetched
      Then the answer is OFFSET_OUT_OF_RANGE

      Examples:
        | place                | offset |
        | after the end        | 6      |
        | far after the end    | 100000 |
        | before the beginning | 1      |

    @ID-9 @raw
    Scenario: At the end it is in range, and empty
      Given a topic
      When a batch of 5 records is produced
      And offset 5 is fetched
      Then the answer is NONE
      And it holds no record

    @ID-9 @kafka
    Scenario: A client is told that its offset is beyond the end
      Given a topic
      When a Kafka producer sends 3 random records in one batch
      Then a Kafka consumer that asks for offset 9 is told OFFSET_OUT_OF_RANGE

  Rule: The first batch is returned even if larger than the limit; beyond it, the total and per-partition limits hold

    @CO-5 @raw
    Scenario: A batch larger than the limit is returned whole
      Given a topic
      When 3 batches of one record of 5000 bytes are produced to each partition
      And each partition is fetched with at most 100 bytes a partition and 100 bytes in all
      Then the answer holds exactly the first batch of partition 0, whole

    @CO-5 @raw
    Scenario: The limit of a partition holds
      Given a topic
      When 3 batches of one record of 5000 bytes are produced to each partition
      And each partition is fetched with at most 11000 bytes a partition and 1000000 bytes in all
      Then partition 0 of the answer holds 2 batches

    @CO-5 @raw
    Scenario: The limit of the answer holds over all partitions
      Given a topic of 3 partitions
      When 3 batches of one record of 5000 bytes are produced to each partition
      And each partition is fetched with at most 1000000 bytes a partition and 20500 bytes in all
      Then the answer holds at least 1 and at most 4 batches

  Rule: A fetch outside a session answers for every partition that it names; sessions, where offered, follow KIP-227

    @CO-6 @raw
    Scenario: Partitions without data are in the answer too
      Given a topic of 3 partitions
      When a batch of 2 records is produced
      And all partitions are fetched outside a session
      Then the answer names partitions 0, 1 and 2

    @CO-6 @raw
    Scenario: An incremental fetch answers only for what has changed
      Given a topic of 3 partitions
      When a fetch session is opened over all partitions
      And a batch of 2 records is produced to partition 1
      And the session is fetched incrementally
      Then the answer names partition 1 only, with 2 records

    @CO-6 @raw
    Scenario Outline: Refused: <what>
      Given a topic
      When a fetch session is opened over all partitions
      And <what> is used
      Then the answer is <error>

      Examples:
        | what                      | error                       |
        | an unknown fetch session  | FETCH_SESSION_ID_NOT_FOUND  |
        | a wrong session epoch     | INVALID_FETCH_SESSION_EPOCH |

  Rule: Every returned batch carries a valid CRC and the right base offset and last offset delta

    @CO-8 @raw
    Scenario Outline: Batches written by Kafka, compressed with <codec>
      Given a topic
      When batches of 1, 4 and 7 records compressed with <codec> are produced
      And offset 0 is fetched
      Then every batch is sound, and they cover offsets 0 to 11 without a gap

      Examples:
        | codec |
        | none  |
        | gzip  |

    @CO-8 @pulsar @raw
    Scenario: Batches written by Pulsar
      Given a topic
      When a Pulsar producer sends 4 random messages in one batch
      And a Pulsar producer sends 3 random messages one by one
      And offset 0 is fetched
      Then every batch is sound, and they cover offsets 0 to 6 without a gap
