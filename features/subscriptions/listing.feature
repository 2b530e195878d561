Feature: A Kafka group is a Pulsar subscription of its name

  The document: whoever manages Pulsar sees Kafka's groups where Pulsar's own subscriptions are.

  Rule: Within the sync period after a commit, Pulsar's admin tools list a subscription with the group's name on every partition topic that it committed

    @PT-1 @kafka @pulsar-admin
    Scenario: On the partitions that it committed, and on no other
      Given a topic of 4 partitions
      When group "billing" commits offset 0
      And group "billing" commits offset 0 of partition 2
      Then Pulsar's tool soon lists group "billing" on partitions 0 and 2 only
      When group "billing" commits offset 0 of partition 3
      Then Pulsar's tool soon lists group "billing" on partitions 0, 2 and 3 only

    @PT-1 @kafka @pulsar-admin
    Scenario: Two groups on one topic, each on its own partitions
      Given a topic of 2 partitions
      When group "billing" commits offset 0 of each partition
      And group "audit" commits offset 0 of partition 1
      Then Pulsar's tool soon lists group "billing" on partitions 0 and 1 only
      And Pulsar's tool soon lists group "audit" on partition 1 only

    @PT-1 @kafka @pulsar-admin
    Scenario: A group over two topics
      Given a topic of 2 partitions
      And a topic of 2 partitions
      When group "billing" commits offset 0 of partition 1
      And group "billing" commits offset 0 of partition 0 of topic 2
      Then Pulsar's tool soon lists group "billing" on partition 1 only
      And Pulsar's tool soon lists group "billing" on partition 0 only of topic 2

    @PT-1 @kafka @pulsar-admin
    Scenario: A group that has members and has committed nothing
      Given a topic
      When a Kafka producer sends 3 random records one by one
      And group "audit" starts, and receives exactly what follows offset 0
      Then Pulsar's tool lists group "audit" on no partition

    @PT-1 @kafka @pulsar-admin @power-restart
    Scenario: After a restart
      Given a target of its own
      And a topic of 2 partitions
      When group "billing" commits offset 0 of partition 1
      Then Pulsar's tool soon lists group "billing" on partition 1 only
      When the target is restarted
      Then Pulsar's tool soon lists group "billing" on partition 1 only
      When group "billing" commits offset 0
      Then Pulsar's tool soon lists group "billing" on partitions 0 and 1 only

    @PT-1 @kafka @pulsar-admin @kafka-admin
    Scenario: Until Kafka's tool deletes the group
      Given a topic of 2 partitions
      When group "billing" commits offset 0 of each partition
      Then Pulsar's tool soon lists group "billing" on partitions 0 and 1 only
      When Kafka's tool deletes group "billing"
      Then Pulsar's tool soon lists group "billing" on no partition
