Feature: Where the two worlds differ, the target states its rule and keeps it

  Rule: A key that is not text reaches Pulsar by a stated, lossless rule (such as the base64 key flag)

    @MC-6 @kafka @pulsar
    Scenario Outline: The key <key>
      Given a topic
      When a Kafka producer sends these records in one batch:
        | key   | value |
        | plain | one   |
        | <key> | two   |
      Then Pulsar sees the key of record 2 by the declared rule
      And a Kafka consumer receives all of it, once and in order

      Examples:
        | key          |
        | hex:ff00fe80 |
        | hex:c328     |
        | hex:00       |

  Rule: A header value that is not text, is null or repeats a name reaches Pulsar by a stated, lossless rule

    @MC-7 @kafka @pulsar
    Scenario Outline: Headers: <what>
      Given a topic
      When a Kafka producer sends these records in one batch:
        | key | value | headers        |
        | k   | v     | <headers>      |
        | k   | v     | fine=text      |
      Then Pulsar sees the headers of each record by the declared rule
      And a Kafka consumer receives all of it, once and in order

      Examples:
        | what                   | headers                        |
        | A binary header value  | bin=hex:ff00c3; text=here      |
        | A null header value    | gone=null; text=here           |
        | A repeated header name | h=first; text=here; h=second   |

  Rule: Pulsar → Kafka key: ordering key before partition key

    @MC-8 @kafka @pulsar
    Scenario: Messages with either key, both and none
      Given a topic
      When a Pulsar producer sends these messages one by one:
        | key  | ordering key | value |
        | part | ordr         | both  |
        | part | none         | one   |
        | none | ordr         | other |
        | none | none         | none  |
      Then Kafka sees the key of each message by the declared rule

  Rule: Pulsar → Kafka timestamp: event time, else publish time

    @MC-9 @kafka @pulsar
    Scenario Outline: Messages with and without an event time, <how>
      Given a topic
      When a Pulsar producer sends these messages <how>:
        | value | event time |
        | one   | 3600 s ago |
        | two   | none       |
        | three | 1800 s ago |
      Then Kafka sees the timestamp of each message by the declared rule

      Examples:
        | how          |
        | one by one   |
        | in one batch |

  Rule: A chunked Pulsar message appears to Kafka once and whole, or as a stated error; never as fragments

    @MC-15 @kafka @pulsar
    Scenario: A message in several chunks between two others
      Given a topic
      When a Pulsar producer sends 1 random message
      And a Pulsar producer sends a message of 60000 bytes in chunks of 20000
      And a Pulsar producer sends 1 random message
      Then Kafka sees the chunked message by the declared rule, and no fragment

    @MC-15 @raw @kafka
    Scenario: The chunks of a message, appended one by one
      Given a topic
      When a sound entry, a message in 3 chunks and a sound entry are appended to it
      Then Kafka sees the appended chunks by the declared rule, and the other two

    @MC-15 @pulsar
    Scenario: A chunked message is whole for Pulsar
      Given a topic
      When a Pulsar producer sends a message of 60000 bytes in chunks of 20000
      Then a Pulsar reader receives all of it, once and in order

  Rule: An encrypted Pulsar message is never passed off as plain text

    @MC-16 @kafka @pulsar
    Scenario: Kafka is told that the value is encrypted
      Given a topic
      When a Pulsar producer sends an encrypted message
      Then Kafka sees it by the declared rule, and not in plain text

  Rule: Delayed messages neither block nor reorder later offsets

    @MC-17 @kafka @pulsar
    Scenario: A message delayed by an hour, between two that are not
      Given a topic
      When a Pulsar producer sends 1 random message
      And a Pulsar producer sends a message that is delayed by an hour
      And a Pulsar producer sends 1 random message
      Then Kafka sees delayed messages by the declared rule, in the order of their offsets

  Rule: An entry that cannot be converted is reported, never silently dropped

    @MC-19 @raw @kafka
    Scenario: An entry whose payload is not what its metadata says
      Given a topic
      When a sound entry, one that cannot be read, and a sound one are appended to it
      Then Kafka is told of the unreadable entry by the declared rule, and sees the other two

  Rule: A Pulsar schema'd message (JSON, Avro, string) reaches Kafka as its encoded bytes, with the schema's identity by a stated rule

    @MC-20 @kafka @pulsar
    Scenario Outline: A message of a <schema> schema
      Given a topic
      When a Pulsar producer sends a message of a <schema> schema
      Then Kafka sees its encoded bytes, and the schema by the declared rule

      Examples:
        | schema |
        | string |
        | json   |
        | avro   |
