Feature: What a lagging group has not consumed is kept

  Rule: Unconsumed data is kept for a lagging group by Pulsar's retention rules, as for any subscription

    @PT-5 @kafka @pulsar-admin
    Scenario: The topic keeps nothing that all groups have consumed
      Given a target that looks often for what retention drops
      And a topic with "retention.ms" set to "1"
      When group "fast" commits offset 0
      And group "slow" commits offset 0
      Then Pulsar's tool soon lists group "slow" on partition 0 only
      And Pulsar's tool soon lists group "fast" on partition 0 only
      When a Kafka producer sends 8 random records one by one
      And group "fast" commits offset 8
      And group "slow" commits offset 3
      Then the log soon begins at offset 3
      And group "slow" starts, and receives exactly what follows offset 3
      When group "slow" commits offset 6
      Then the log soon begins at offset 6
      When group "slow" commits offset 8
      Then the log soon begins at offset 8

    @PT-5 @kafka @pulsar-admin
    Scenario: The namespace keeps nothing that all groups have consumed
      Given a target that looks often for what retention drops
      And a topic in a namespace of its own, whose retention Pulsar’s tool sets to none
      When group "slow" commits offset 0
      Then Pulsar's tool soon lists group "slow" on partition 0 only
      When a Kafka producer sends 6 random records one by one
      And group "slow" commits offset 2
      Then the log soon begins at offset 2
      And group "slow" starts, and receives exactly what follows offset 2
      When group "slow" commits offset 6
      Then the log soon begins at offset 6

    @PT-5 @kafka @pulsar-admin
    Scenario: When the lagging group's subscription is deleted, nothing is kept for it
      Given a target that looks often for what retention drops
      And a topic with "retention.ms" set to "1"
      When group "fast" commits offset 0
      And group "slow" commits offset 0
      Then Pulsar's tool soon lists group "slow" on partition 0 only
      And Pulsar's tool soon lists group "fast" on partition 0 only
      When a Kafka producer sends 6 random records one by one
      And group "fast" commits offset 5
      And group "slow" commits offset 2
      Then the log soon begins at offset 2
      When Pulsar's tool deletes the subscription of group "slow"
      Then the log soon begins at offset 5

    @PT-5 @kafka @pulsar-admin
    Scenario: When the lagging group is moved on by a tool, nothing is kept for it
      Given a target that looks often for what retention drops
      And a topic with "retention.ms" set to "1"
      When group "slow" commits offset 0
      Then Pulsar's tool soon lists group "slow" on partition 0 only
      When a Kafka producer sends 6 random records one by one
      And group "slow" commits offset 1
      Then the log soon begins at offset 1
      When Pulsar's tool skips 3 of group "slow"
      Then the log soon begins at offset 4
