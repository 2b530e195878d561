Feature: An idempotent producer neither duplicates nor leaves gaps

  Rule: A repeated batch among a producer's last five is acknowledged with its first offset and not stored again; a gap gets OUT_OF_ORDER_SEQUENCE_NUMBER

    @PR-6 @raw
    Scenario Outline: Batch <number> of five is sent again
      Given a topic
      And an idempotent producer has written 5 batches of 2 records
      When batch <number> is sent again
      Then it is acknowledged with the offset of the first time
      And the topic holds 10 records

      Examples:
        | number |
        | 5      |
        | 1      |

    @PR-6 @kafka
    Scenario: Through a client that is idempotent
      Given a topic
      When an idempotent Kafka producer sends 12 random records one by one
      Then a Kafka consumer receives all of it, once and in order

    @PR-6 @raw @power-restart
    Scenario: A repeated batch is known after a restart
      Given a target of its own
      And a topic
      And an idempotent producer has written 3 batches of 2 records
      When the target is restarted
      And batch 3 is sent again
      Then it is acknowledged with the offset of the first time
      And the topic holds 6 records

    @PR-6 @raw
    Scenario: A batch that skips a sequence number is refused
      Given a topic
      And an idempotent producer has written 2 batches of 2 records
      When a batch of sequence number 5 is sent in place of 4
      Then the answer is OUT_OF_ORDER_SEQUENCE_NUMBER
      And the topic holds 4 records

    @PR-6 @raw
    Scenario: An older epoch of the same producer is refused
      Given a topic
      And an idempotent producer has written 2 batches of 2 records
      When it goes on with a newer epoch and then with the older one again
      Then the answer is INVALID_PRODUCER_EPOCH
      And the topic holds 6 records
