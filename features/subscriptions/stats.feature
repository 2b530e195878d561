Feature: Topic stats tell of Kafka's groups

  Rule: Topic stats show the group's lag, members and rates

    @PT-8 @kafka @pulsar-admin
    Scenario: Lag
      Given a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 2
      Then stats soon show that group "billing" lags by 4
      When a Kafka producer sends 3 random records one by one
      Then stats soon show that group "billing" lags by 7
      When group "billing" commits offset 9
      Then stats soon show that group "billing" lags by 0

    @PT-8 @kafka @pulsar-admin
    Scenario: Members
      Given a topic
      When a Kafka producer sends 4 random records one by one
      And a member of group "billing" reads 4, commits them, and stays
      Then stats soon show 1 consumer of group "billing" on partition 0
      When the member of group "billing" leaves
      Then stats soon show 0 consumers of group "billing" on partition 0

    @PT-8 @kafka @pulsar-admin
    Scenario: Rates
      Given a topic
      When group "billing" commits offset 0
      Then stats show a rate of group "billing" as it goes on reading

    @PT-8 @kafka @pulsar-admin
    Scenario: Of all partitions together
      Given a topic of 2 partitions
      When a Kafka producer sends 3 random records to partition 0 one by one
      And a Kafka producer sends 4 random records to partition 1 one by one
      And group "billing" commits offset 1 of each partition
      Then the whole topic's stats soon show 5 before group "billing", and 0 consumers

    @PT-8 @kafka
    Scenario: Lag in messages, and members, as the target declares them
      Given a topic
      When a Kafka producer sends 5 random records in one batch
      And group "billing" commits offset 2
      Then the declared stats soon tell a lag of 3 messages and 0 members of group "billing"
      When a member of group "audit" reads 5, commits them, and stays
      Then the declared stats soon tell a lag of 0 messages and 1 member of group "audit"
