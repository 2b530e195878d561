Feature: What cannot be stored is refused, and nothing of it is stored

  Rule: A corrupt batch (CRC) is refused with CORRUPT_MESSAGE, an oversized one with MESSAGE_TOO_LARGE, and nothing of it is stored

    @PR-4 @raw
    Scenario Outline: A batch whose <part> is wrong is refused
      Given a topic
      When a batch of 3 records with a wrong <part> is produced
      Then the answer is <error>
      And the topic holds 0 records

      Examples:
        | part  | error                                |
        | crc   | CORRUPT_MESSAGE                      |
        | count | INVALID_RECORD or CORRUPT_MESSAGE    |

    @PR-4 @raw
    Scenario: An oversized batch is refused
      Given a topic
      When a batch larger than the topic takes is produced
      Then the answer is MESSAGE_TOO_LARGE
      And the topic holds 0 records

    @PR-4 @raw
    Scenario: A refused batch leaves the next one its offsets
      Given a topic
      When a batch of 3 records with a wrong crc is produced
      And a batch of 2 records is produced
      Then the batch was stored at offset 0
      And the topic holds 2 records

  Rule: One request with good and bad partitions stores the good ones and names the bad ones

    @PR-5 @raw
    Scenario: One good, one corrupt and one unknown partition
      Given a topic of 2 partitions
      When one request carries a good batch for partition 0, a corrupt one for partition 1 and one for partition 7
      Then the answer is for each partition
        | partition | error                      |
        | 0         | NONE                       |
        | 1         | CORRUPT_MESSAGE            |
        | 7         | UNKNOWN_TOPIC_OR_PARTITION |
      And partition 0 holds 2 records
      And partition 1 holds 0 records
