Feature: Pulsar's tools work as they do with Pulsar

  Rule: The handler is a plugin with the protocol name `kafka`, started with the broker and stopped with it; Pulsar clients of the same broker are served at the same time

    @PH-2 @pulsar @pulsar-admin
    Scenario Outline: A subscription of Pulsar's own is reset to the message at offset <to>
      Given a Pulsar topic of 1 partition
      When a Pulsar producer sends 6 random messages one by one
      And Pulsar's tool makes the subscription "audit" at the <at>
      And Pulsar's tool resets the subscription "audit" to the message at offset <to>
      Then the subscription "audit" stands at offset <to>
      And a Pulsar consumer of the subscription "audit" receives exactly what follows offset <to>

      Examples:
        | at       | to |
        | latest   | 0  |
        | latest   | 4  |
        | earliest | 3  |

    @PH-2 @pulsar @pulsar-admin
    Scenario: A subscription of Pulsar's own is moved on
      Given a Pulsar topic of 1 partition
      When a Pulsar producer sends 6 random messages one by one
      And Pulsar's tool makes the subscription "audit" at the earliest
      Then the subscription "audit" stands at offset 0
      When Pulsar's tool skips 2 of the subscription "audit"
      Then the subscription "audit" stands at offset 2
      And a Pulsar consumer of the subscription "audit" receives exactly what follows offset 2
      When Pulsar's tool clears the backlog of the subscription "audit"
      Then the subscription "audit" stands at offset 6

    @PH-2 @pulsar @pulsar-admin
    Scenario: A subscription of Pulsar's own is not deleted under its consumers
      Given a Pulsar topic of 1 partition
      And 1 Pulsar consumer of the exclusive subscription "audit"
      Then Pulsar's tool lists exactly these subscriptions: audit
      And deleting the subscription "audit" is refused with 412
      When Pulsar's tool makes the subscription "other" at the latest
      Then Pulsar's tool lists exactly these subscriptions: audit, other
      When Pulsar's tool deletes the subscription "other"
      Then Pulsar's tool lists exactly these subscriptions: audit
      And deleting the subscription "other" is refused with 404

    @PH-2 @pulsar @pulsar-admin
    Scenario: Messages are examined where they lie
      Given a Pulsar topic of 1 partition
      When a Pulsar producer sends 5 random messages one by one
      Then Pulsar's tool examines number 1 from the earliest as the message at offset 0
      And Pulsar's tool examines number 3 from the earliest as the message at offset 2
      And Pulsar's tool examines number 1 from the latest as the message at offset 4
      And Pulsar's tool names the last message's id
      And Pulsar's tool counts 5 entries, all in its ledgers
      And Pulsar's tool finds its owner at the broker's own address

    @PH-2 @pulsar @pulsar-admin
    Scenario: A topic is terminated
      Given a Pulsar topic of 1 partition
      When a Pulsar producer sends 3 random messages one by one
      And Pulsar's tool terminates the topic
      Then it ends at its last message, and takes no more
      And a Pulsar reader receives all of it, once and in order

    @PH-2 @pulsar @pulsar-admin
    Scenario: A topic is truncated
      Given a Pulsar topic of 1 partition
      When a Pulsar producer sends 4 random messages one by one
      And Pulsar's tool unloads and truncates the topic
      Then a Pulsar reader receives nothing of it, and then 2 that are sent

    @PH-2 @pulsar-admin
    Scenario: Tenants and namespaces are made, listed and deleted
      Given a tenant and a namespace that Pulsar's tool makes
      Then making either again is refused with 409
      And Pulsar's tool lists both, until it deletes them

    @PH-2 @pulsar-admin
    Scenario: Policies are what they were set to
      Given a tenant and a namespace that Pulsar's tool makes
      When Pulsar's tool sets its retention to 120 minutes and 64 MB, and its time to live to 3600 s
      Then Pulsar's tool reads a retention of 120 minutes and 64 MB, and a time to live of 3600 s
      When Pulsar's tool sets its retention to -1 minutes and -1 MB, and its time to live to 60 s
      Then Pulsar's tool reads a retention of -1 minutes and -1 MB, and a time to live of 60 s

    @PH-2 @pulsar-admin
    Scenario: Permissions are granted and revoked
      Given a tenant and a namespace that Pulsar's tool makes
      Then Pulsar's tool lists that nobody may do anything there
      When Pulsar's tool grants produce and consume to "auditor" there
      Then Pulsar's tool lists that "auditor" may produce and consume there
      When Pulsar's tool revokes "auditor" what it may
      Then Pulsar's tool lists that nobody may do anything there

  Rule: For every partition, the leader in Kafka TopicMetadata is the broker that Pulsar's own lookup names as owner

    @TL-1 @kafka @pulsar-admin
    Scenario: The owner that Pulsar's tool finds
      Given a topic of 3 partitions
      Then the leader of each partition is the broker that Pulsar's tool finds

  Rule: After trimming, earliest moves to the first kept message; after all has expired, earliest = latest

    @ID-13 @kafka @pulsar-admin
    Scenario: A topic of Kafka that Pulsar's tool truncates
      Given a topic
      When a Kafka producer sends 4 random records one by one
      And Pulsar's tool unloads and truncates the topic
      Then the log soon begins at offset 4
      And its log reaches from offset 4 to 4
