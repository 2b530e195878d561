Feature: Who deletes a group's subscription deletes its offsets

  Rule: Deleting the subscription deletes the group's offsets for that topic; refused while members are active

    @PT-4 @kafka @pulsar-admin
    Scenario: Those of that topic only
      Given a topic
      And a topic
      When group "billing" commits offset 0
      And group "billing" commits offset 0 of topic 2
      And group "audit" commits offset 0
      Then Pulsar's tool soon lists group "billing" on partition 0 only
      And Pulsar's tool soon lists group "audit" on partition 0 only
      When Pulsar's tool deletes the subscription of group "billing"
      Then Pulsar's tool lists group "billing" on no partition
      And group "billing" has committed nothing
      And group "billing" has committed offset 0 of topic 2
      And group "audit" has committed offset 0
      And Pulsar's tool soon lists group "billing" on partition 0 only of topic 2

    @PT-4 @kafka @pulsar-admin
    Scenario: Of all partitions together
      Given a topic of 3 partitions
      When group "billing" commits offset 0 of each partition
      Then Pulsar's tool soon lists group "billing" on partitions 0, 1 and 2 only
      When Pulsar's tool deletes the subscription of group "billing" on the topic as a whole
      Then Pulsar's tool lists group "billing" on no partition
      And group "billing" has committed nothing
      And group "billing" has committed nothing of partition 1
      And group "billing" has committed nothing of partition 2

    @PT-4 @kafka @pulsar-admin
    Scenario: It does not come back by the sync
      Given a topic
      When a Kafka producer sends 3 random records one by one
      And group "billing" commits offset 1
      Then Pulsar's tool soon lists group "billing" on partition 0 only
      When group "billing" commits offset 2
      And Pulsar's tool deletes the subscription of group "billing"
      Then the sync of all that was committed has come through
      And group "billing" has committed nothing
      And Pulsar's tool lists group "billing" on no partition

    @PT-4 @kafka @pulsar-admin
    Scenario Outline: The next start begins by auto.offset.reset <reset>
      Given a topic
      When a Kafka producer sends 4 random records one by one
      And group "billing" commits offset 2
      Then Pulsar's tool soon lists group "billing" on partition 0 only
      When Pulsar's tool deletes the subscription of group "billing"
      Then group "billing" starts with auto.offset.reset <reset>, and receives <what> of it

      Examples:
        | reset    | what    |
        | earliest | all     |
        | latest   | nothing |

    @PT-4 @kafka @pulsar-admin
    Scenario: A commit afterwards makes a new one
      Given a topic
      When a Kafka producer sends 4 random records one by one
      And group "billing" commits offset 3
      Then Pulsar's tool soon lists group "billing" on partition 0 only
      When Pulsar's tool deletes the subscription of group "billing"
      And group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1

    @PT-4 @kafka @pulsar-admin
    Scenario: Refused while a member is active
      Given a topic
      When a Kafka producer sends 4 random records one by one
      And a member of group "billing" reads 3, commits them, and stays
      Then Pulsar's tool soon lists group "billing" on partition 0 only
      And deleting the subscription of group "billing" is refused with 412
      And deleting the subscription of group "billing" is refused with 412 on the topic as a whole
      And group "billing" has committed offset 3
      And Pulsar's tool soon lists group "billing" on partition 0 only
      When the member of group "billing" leaves
      And Pulsar's tool deletes the subscription of group "billing"
      Then group "billing" has committed nothing

    @PT-4 @kafka @pulsar-admin @power-kill
    Scenario: What is deleted stays so
      Given a target of its own
      And a topic
      When a Kafka producer sends 3 random records one by one
      And group "billing" commits offset 2
      Then Pulsar's tool soon lists group "billing" on partition 0 only
      When Pulsar's tool deletes the subscription of group "billing"
      And the target is killed and started again
      Then group "billing" has committed nothing
      And Pulsar's tool lists group "billing" on no partition
