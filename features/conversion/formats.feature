Feature: Codecs and formats of either side are readable from the other

  Rule: Every codec that one side offers (gzip, snappy, lz4, zstd; zlib, lz4, zstd, snappy) is readable from the other

    @MC-13 @kafka @pulsar
    Scenario Outline: Kafka's <codec>, read by Pulsar
      Given a topic
      When a Kafka producer sends 12 random records in one batch compressed with <codec>
      Then a Pulsar reader receives all of it, once and in order

      Examples:
        | codec  |
        | gzip   |
        | snappy |
        | lz4    |
        | zstd   |

    @MC-13 @kafka @pulsar
    Scenario Outline: Pulsar's <codec>, read by Kafka
      Given a topic
      When a Pulsar producer sends 12 random messages in one batch compressed with <codec>
      And a Pulsar producer sends 2 random messages one by one compressed with <codec>
      Then a Kafka consumer receives all of it, once and in order

      Examples:
        | codec  |
        | zlib   |
        | lz4    |
        | zstd   |
        | snappy |

    @MC-13 @kafka
    Scenario Outline: Kafka's <codec>, read by Kafka
      Given a topic
      When a Kafka producer sends 12 random records in one batch compressed with <codec>
      Then a Kafka consumer receives all of it, once and in order

      Examples:
        | codec  |
        | gzip   |
        | snappy |
        | lz4    |
        | zstd   |

    @MC-13 @pulsar
    Scenario Outline: Pulsar's <codec>, read by Pulsar
      Given a topic
      When a Pulsar producer sends 12 random messages in one batch compressed with <codec>
      Then a Pulsar reader receives all of it, once and in order

      Examples:
        | codec  |
        | zlib   |
        | lz4    |
        | zstd   |
        | snappy |

  Rule: Message formats 0, 1 and 2 are accepted where their Produce version is listed

    @MC-14 @raw
    Scenario Outline: Format <magic> by Produce version <version>, compressed with <codec>
      Given a topic
      When a batch of format <magic>, compressed with <codec>, is produced by version <version>
      Then its keys and values are fetched, with timestamps where the format has them

      Examples:
        | magic | version | codec |
        | 0     | 0       | none  |
        | 0     | 1       | gzip  |
        | 1     | 2       | none  |
        | 1     | 2       | gzip  |
        | 2     | 3       | none  |
        | 2     | 8       | gzip  |

  Rule: Markers of either system never surface as user records

    @MC-18 @raw
    Scenario: A control batch from a client
      Given a topic
      When a batch of 1 record is produced
      And a client produces a control batch
      And a batch of 2 records is produced
      Then exactly the 3 records of users are fetched

    @MC-18 @raw @kafka
    Scenario: A Pulsar marker is not seen by Kafka
      Given a topic
      When a sound entry, a marker and a sound one are appended to it
      Then a Kafka consumer receives exactly the two sound ones

    @MC-18 @raw @pulsar
    Scenario: A Pulsar marker is not seen by Pulsar
      Given a topic
      When a sound entry, a marker and a sound one are appended to it
      Then a Pulsar reader receives exactly the two sound ones

  Rule: After the entry format setting changes, data written before stays readable on both sides

    @MC-21 @kafka @pulsar @power-configure
    Scenario Outline: From <before> to <after>
      Given a target of its own, started with "entryFormat" set to "<before>"
      And a topic
      When a Kafka producer sends 6 random records in one batch
      And a Kafka producer sends 4 random records in one batch compressed with gzip
      And a Pulsar producer sends 4 random messages in one batch
      And it is started again over the same data with "entryFormat" set to "<after>"
      And a Kafka producer sends 5 random records in one batch
      Then a Kafka consumer receives all of it, once and in order
      And a Pulsar reader receives all of it, once and in order

      Examples:
        | before | after  |
        | pulsar | kafka  |
        | kafka  | pulsar |
