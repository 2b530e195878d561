Feature: Timestamps are kept in milliseconds, or are the broker's where the topic says so

  Rule: CreateTime 0 and −1 are kept apart and kept

    @MC-10 @raw
    Scenario Outline: Records of the timestamps <times> in one batch
      Given a topic
      When a batch of the timestamps <times> is produced
      Then it is fetched with exactly the same keys, values, headers and timestamps

      Examples:
        | times     |
        | 0         |
        | -1        |
        | 0, 1, 0   |

    @MC-10 @MC-3 @MC-5 @raw @power-restart
    Scenario: Read again after a restart, when nothing is kept in memory
      Given a target of its own
      And a topic
      When a batch of the timestamps 0, 1, 0 is produced
      And a batch of the timestamps -1 is produced
      And a batch with null, empty, binary and repeated headers is produced
      And a batch of the timestamps 0 is produced
      And the target is restarted
      Then it is fetched with exactly the same keys, values, headers and timestamps

    @MC-10 @kafka
    Scenario: Through a client
      Given a topic with "retention.ms" set to "-1"
      When a Kafka producer sends these records one by one:
        | key | value | timestamp |
        | a   | one   | 1         |
        | b   | two   | 60 s ago  |
        | c   | three | 0         |
      Then a Kafka consumer receives all of it, once and in order

  Rule: With LogAppendTime Kafka consumers see the broker's time in place of the client's

    @MC-12 @kafka
    Scenario: A consumer sees when the broker took the record
      Given a topic with "message.timestamp.type" set to "LogAppendTime"
      When a Kafka producer sends these records one by one:
        | key | value | timestamp   |
        | a   | one   | 3600 s ago  |
        | b   | two   | 7200 s ago  |
      Then every record carries the broker's time

    @MC-12 @raw
    Scenario: The acknowledgement and the batch tell the same time
      Given a topic with "message.timestamp.type" set to "LogAppendTime"
      When a batch of the timestamps 1000, 2000 is produced
      Then the acknowledged append time is that of every record fetched

    @MC-12 @kafka
    Scenario: The topic config can be changed
      Given a topic
      When Kafka sets "message.timestamp.type" to "LogAppendTime" on it
      And a Kafka producer sends these records one by one:
        | key | value | timestamp   |
        | a   | one   | 3600 s ago  |
      Then every record carries the broker's time
