Feature: Key, value, timestamp and headers cross between the worlds

  The document: "Both a Kafka message and a Pulsar message have the key, value, timestamp, and headers. (In Pulsar, the
  headers is called properties.) KoP converts these fields automatically between Kafka messages and Pulsar messages."

  Rule: Kafka → Pulsar: key, value, timestamp and headers arrive as partition key, payload, event time and properties

    @MC-1 @kafka @pulsar
    Scenario Outline: A record's fields in their places, written <how>
      Given a topic
      When a Kafka producer sends these records <how>:
        | key     | value       | headers                 | timestamp  |
        | order-1 | 12 roses    | source=web; trace=a1b2  | 7200 s ago |
        | order-2 | hex:00ff7f  | source=shop             | 7199 s ago |
        | null    | no key      | none                    | 30 s ago   |
        | ключ    | größe       | größe=ключ              | 7201 s ago |
      Then a Pulsar reader receives all of it, once and in order

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @MC-1 @kafka @pulsar @power-configure
    Scenario: The same, where batches are stored as they came
      Given a target of its own with "entryFormat" set to "kafka"
      And a topic
      When a Kafka producer sends 10 random timed records in one batch
      And a Kafka producer sends 6 random timed records in one batch compressed with gzip
      And a Pulsar producer sends 4 random messages in one batch
      Then a Pulsar reader receives all of it, once and in order
      And a Kafka consumer receives all of it, once and in order

  Rule: Pulsar → Kafka: the same fields arrive back, from batched and unbatched producers

    @MC-2 @kafka @pulsar
    Scenario Outline: Each field in its place on the way back, written <how>
      Given a topic
      When a Pulsar producer sends these messages <how>:
        | key     | value      | properties             | event time |
        | order-1 | 12 roses   | source=web; trace=a1b2 | 7200 s ago |
        | order-2 | hex:00ff7f | source=shop            | 7199 s ago |
        | ключ    | größe      | größe=ключ             | 7201 s ago |
      Then a Kafka consumer receives all of it, once and in order

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @MC-2 @kafka @pulsar
    Scenario: A message without a key has a record without a key
      Given a topic
      When a Pulsar producer sends these messages in one batch:
        | key  | value   | event time |
        | none | unkeyed | 60 s ago   |
        | k    | keyed   | 50 s ago   |
        | none | again   | 40 s ago   |
      Then a Kafka consumer receives all of it, once and in order

  Rule: Kafka → Kafka loses nothing: arbitrary bytes in key, value and header values, header order, repeated header names, null against empty for key, value and header value

    @MC-3 @kafka
    Scenario Outline: Kept: <what>
      Given a topic
      When a Kafka producer sends these records in one batch:
        | key   | value   | headers   |
        | <key> | <value> | <headers> |
        | last  | one     | none      |
      Then a Kafka consumer receives all of it, once and in order

      Examples:
        | what                                  | key          | value          | headers                       |
        | A key that is not text                | hex:ff00fe80 | v              | none                          |
        | A value that is not text              | k            | hex:00c328fffe | none                          |
        | A key that is null                    | null         | v              | none                          |
        | A key that is empty                   | empty        | v              | none                          |
        | A value that is empty                 | k            | empty          | none                          |
        | A header value that is not text       | k            | v              | h=hex:ff00c3                  |
        | A header value that is empty          | k            | v              | h=empty                       |
        | A header value that is null           | k            | v              | h=null                        |
        | Headers in their order                | k            | v              | z=1; a=2; m=3                 |
        | A header name that repeats            | k            | v              | h=first; h=second; h=first    |
        | A repeated name with others between   | k            | v              | h=1; other=2; h=3             |
        | Null, empty and text under one name   | k            | v              | h=null; h=empty; h=text       |

    @MC-3 @kafka
    Scenario: Random bytes in key, value and header values
      Given a topic
      When a Kafka producer sends 40 records of random bytes in one batch
      And a Kafka producer sends 10 records of random bytes one by one
      Then a Kafka consumer receives all of it, once and in order

    @MC-3 @kafka
    Scenario: A large value
      Given a topic
      When a Kafka producer sends 3 records of 200000 bytes one by one
      Then a Kafka consumer receives all of it, once and in order

    @MC-3 @raw
    Scenario: As single requests, with every kind of header
      Given a topic
      When a batch with null, empty, binary and repeated headers is produced
      Then it is fetched with exactly the same keys, values, headers and timestamps

  Rule: Pulsar → Pulsar through a topic that Kafka also uses loses nothing

    @MC-4 @pulsar
    Scenario Outline: Key, properties, event time and producer name, written <how>
      Given a topic
      When a Pulsar producer sends these messages <how>:
        | key     | value      | properties             | event time |
        | order-1 | 12 roses   | source=web; trace=a1b2 | 7200 s ago |
        | none    | hex:00ff7f | none                   | none       |
        | ключ    | größe      | größe=ключ             | 7201 s ago |
      Then a Pulsar reader receives all of it, once and in order
      And it is told one producer's name, and sequence numbers that rise

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @MC-4 @pulsar
    Scenario: Binary keys and ordering keys
      Given a topic
      When a Pulsar producer sends these messages one by one:
        | key bytes    | value | ordering key |
        | hex:ff00fe80 | one   | hex:01ff     |
        | hex:00       | two   | none         |
        | hex:c328     | three | hex:00       |
      Then a Pulsar reader receives the same key bytes and ordering key

    @MC-4 @kafka @pulsar
    Scenario: Through a topic that Kafka also uses
      Given a topic
      When a Kafka producer sends 4 random records in one batch
      And a Pulsar producer sends 8 random messages in one batch
      And a Kafka producer sends 4 random records one by one
      Then a Kafka consumer receives all of it, once and in order
      And a Pulsar reader receives all of it, once and in order

  Rule: A null value is a tombstone on both sides, and differs from an empty value

    @MC-5 @kafka
    Scenario: In Kafka
      Given a topic
      When a Kafka producer sends these records in one batch:
        | key | value |
        | a   | null  |
        | a   | empty |
        | b   | text  |
      Then a Kafka consumer receives all of it, once and in order

    @MC-5 @kafka @pulsar
    Scenario: From Kafka to Pulsar
      Given a topic
      When a Kafka producer sends these records in one batch:
        | key | value |
        | a   | null  |
        | a   | empty |
        | b   | text  |
      Then a Pulsar reader sees tombstones exactly where the values are null

    @MC-5 @kafka @pulsar
    Scenario Outline: From Pulsar to Kafka, <how>
      Given a topic
      When a Pulsar producer sends these messages <how>:
        | key | value | event time |
        | a   | null  | 60 s ago   |
        | a   | empty | 50 s ago   |
        | b   | text  | 40 s ago   |
      Then a Kafka consumer receives all of it, once and in order

      Examples:
        | how          |
        | in one batch |
        | one by one   |

    @MC-5 @pulsar
    Scenario: In Pulsar
      Given a topic
      When a Pulsar producer sends these messages in one batch:
        | key | value |
        | a   | null  |
        | a   | empty |
        | b   | text  |
      Then a Pulsar reader sees tombstones exactly where the values are null

  Rule: In a Pulsar batch every message keeps its own event time, key and properties

    @MC-11 @kafka @pulsar
    Scenario: Seen from Kafka
      Given a topic
      When a Pulsar producer sends 15 random messages in one batch
      Then a Kafka consumer receives all of it, once and in order

    @MC-11 @pulsar
    Scenario: Seen from Pulsar
      Given a topic
      When a Pulsar producer sends 15 random messages in one batch
      Then a Pulsar reader receives all of it, once and in order
