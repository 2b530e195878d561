Feature: A partition's log has exact ends, and a place for every record

  Rule: The offset acknowledged to the Kafka producer is the offset under which the record is consumed

    @ID-4 @kafka
    Scenario Outline: Records written <how>
      Given a topic
      When a Kafka producer sends 3 random records one by one
      And a Kafka producer sends 8 random records <how>
      Then every record is consumed under its acknowledged offset

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @ID-4 @kafka @pulsar
    Scenario: After messages of a Pulsar producer
      Given a topic
      When a Pulsar producer sends 5 random messages in one batch
      And a Kafka producer sends 6 random records in one batch
      Then every record is consumed under its acknowledged offset

  Rule: N records in one batch, from either side, have N offsets; seeking to any of them delivers exactly that record first

    @ID-5 @kafka
    Scenario: Seeking back and forth within a Kafka batch
      Given a topic
      When a Kafka producer sends 9 random records in one batch
      And a Kafka consumer that stays at the start of it
      Then the consumer that stays receives exactly the next 9
      And the consumer that stays, sent back to the offset of record 5, receives the rest from there
      And the consumer that stays, sent back to the offset of record 2, receives the rest from there
      And the consumer that stays, sent back to the offset of record 9, receives the rest from there

    @ID-5 @kafka @pulsar
    Scenario: Seeking back and forth within a Pulsar batch
      Given a topic
      When a Pulsar producer sends 9 random messages in one batch
      And a Kafka consumer that stays at the start of it
      Then the consumer that stays receives exactly the next 9
      And the consumer that stays, sent back to the offset of record 5, receives the rest from there
      And the consumer that stays, sent back to the offset of record 9, receives the rest from there

    @ID-5 @pulsar
    Scenario: Pulsar seeks within its own batch
      Given a topic
      When a Pulsar producer sends 9 random messages in one batch
      Then a Pulsar reader from the id of each message receives the rest from there

    @ID-5 @pulsar
    Scenario: A subscription is sent back into the middle of a batch, and goes on after that message
      Given a topic
      And 1 Pulsar consumer of the exclusive subscription "again"
      When a Pulsar producer sends 8 random messages in one batch
      Then consumer 1 of "again" receives all of it, once and in order
      And consumer 1 of "again", sent back to message 4, receives what follows it

  Rule: Under `index` offsets are consecutive: N records raise the log end by N

    @ID-10 @kafka
    Scenario: From a Kafka producer
      Given a topic whose offsets are consecutive
      When a Kafka producer sends 7 random records in one batch
      And a Kafka producer sends 5 random records one by one
      Then its log reaches from offset 0 to 12

    @ID-10 @kafka @pulsar
    Scenario: From a Pulsar producer
      Given a topic whose offsets are consecutive
      When a Pulsar producer sends 7 random messages in one batch
      And a Pulsar producer sends 5 random messages one by one
      Then its log reaches from offset 0 to 12

  Rule: Timestamp look-up returns the first offset with a timestamp at or after the target, with that record's timestamp; none: offset −1, no error

    @ID-8 @kafka
    Scenario Outline: Looking for <what>
      Given a topic
      When a Kafka producer sends these records <how>:
        | key | value | timestamp |
        | a   | one   | 500 s ago |
        | b   | two   | 400 s ago |
        | c   | three | 400 s ago |
        | d   | four  | 300 s ago |
      Then looking for the time <target> finds offset <offset>

      Examples:
        | what                        | how          | target    | offset |
        | a time before the first     | in one batch | 900 s ago | 0      |
        | the first time itself       | one by one   | 500 s ago | 0      |
        | a time between two records  | in one batch | 450 s ago | 1      |
        | a time that two records have | in one batch | 400 s ago | 1      |
        | a time between single ones  | one by one   | 350 s ago | 3      |
        | the last time itself        | in one batch | 300 s ago | 3      |
        | a time after the last       | in one batch | 100 s ago | -1     |
        | a time after single ones    | one by one   | 100 s ago | -1     |

    @ID-8 @raw
    Scenario: Times that do not rise
      Given a topic
      When a batch of the timestamps 5000, 9000, 7000, 8000 is produced
      Then a look-up of 6000 answers offset 1 and timestamp 9000
      And a look-up of 5000 answers offset 0 and timestamp 5000
      And a look-up of 9001 answers offset -1 and timestamp -1

    @ID-8 @kafka @pulsar
    Scenario: By the event times of a Pulsar batch
      Given a topic whose offsets are consecutive
      When a Pulsar producer sends these messages in one batch:
        | key | value | event time |
        | a   | one   | 500 s ago  |
        | b   | two   | 400 s ago  |
        | c   | three | 300 s ago  |
      Then looking for the time 450 s ago finds offset 1
      And looking for the time 300 s ago finds offset 2
      And looking for the time 100 s ago finds offset -1

  Rule: After trimming, earliest moves to the first kept message; after all has expired, earliest = latest

    @ID-13 @kafka
    Scenario: Records before an offset are deleted
      Given a topic
      When a Kafka producer sends 4 random records in one batch
      And a Kafka producer sends 6 random records one by one
      And Kafka deletes the records before offset 6
      Then its log reaches from offset 6 to 10
      And a Kafka consumer receives exactly the last 4

    @ID-13 @kafka
    Scenario: A cut in the middle of a batch
      Given a topic
      When a Kafka producer sends 8 random records in one batch
      And Kafka deletes the records before offset 3
      Then its log reaches from offset 3 to 8
      And a Kafka consumer receives exactly the last 5

    @ID-13 @kafka
    Scenario: All are deleted
      Given a topic
      When a Kafka producer sends 5 random records in one batch
      And Kafka deletes the records before offset 5
      Then its log reaches from offset 5 to 5
      When a Kafka producer sends 2 random records in one batch
      Then its log reaches from offset 5 to 7
      And a Kafka consumer receives exactly the last 2

    @ID-13 @kafka @pulsar
    Scenario: Pulsar no longer reads what Kafka deleted
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And Kafka deletes the records before offset 4
      Then a Pulsar reader receives exactly the last 2
