Feature: The sync of offsets to subscriptions is in the background

  Rule: The sync runs in the background: a stopped sync never delays commits, and catches up

    @PT-6 @kafka @pulsar-admin @power-configure
    Scenario: Commits while the sync stands still
      Given a target of its own, started with "kafkaOffsetsSyncPeriodMs" set to "3600000"
      And a topic
      When a Kafka producer sends 20 random records one by one
      And group "billing" commits offsets 1 to 20, one after the other
      And group "audit" commits offset 7
      Then group "billing" has committed offset 20
      And group "audit" has committed offset 7
      When it is started again over the same data with "kafkaOffsetsSyncPeriodMs" set to "200"
      Then the subscription of group "billing" soon stands at offset 20
      And the subscription of group "audit" soon stands at offset 7

    @PT-6 @kafka @pulsar-admin @power-kill
    Scenario: Killed just after a commit
      Given a target of its own
      And a topic
      When a Kafka producer sends 10 random records one by one
      And group "billing" commits offset 2
      Then the subscription of group "billing" soon stands at offset 2
      When group "billing" commits offset 9
      And the target is killed and started again
      Then the subscription of group "billing" soon stands at offset 9

    @PT-6 @kafka @pulsar-admin
    Scenario: Many commits, of which the last one counts
      Given a topic
      When a Kafka producer sends 20 random records one by one
      And group "billing" commits offsets 1 to 19, one after the other
      Then the subscription of group "billing" soon stands at offset 19
