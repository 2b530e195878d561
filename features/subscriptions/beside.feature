Feature: Consumers of Pulsar on the subscription of a Kafka group

  Rule: What happens when a Pulsar consumer uses the subscription of that name at the same time

    @PT-7 @kafka @pulsar
    Scenario: While the group has members, Pulsar consumers are refused
      Given the target declares that Pulsar consumers are members-exclude
      And a topic
      When a Kafka producer sends 6 random records one by one
      And a member of group "billing" reads 3, commits them, and stays
      Then a Pulsar consumer that subscribes as group "billing" is refused
      When the member of group "billing" leaves
      And a Pulsar consumer subscribes as group "billing"
      And the Pulsar consumer of group "billing" acknowledges 2
      And the Pulsar consumer of group "billing" leaves
      Then group "billing" soon has committed offset 5
      And group "billing" starts, and receives exactly what follows offset 5

    @PT-7 @kafka @pulsar @pulsar-admin
    Scenario: A member takes the place of a Pulsar consumer
      Given the target declares that Pulsar consumers are members-exclude
      And a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1
      When a Pulsar consumer subscribes as group "billing"
      And the Pulsar consumer of group "billing" acknowledges 2
      Then group "billing" soon has committed offset 3
      And group "billing" starts, and receives exactly what follows offset 3

    @PT-7 @kafka @pulsar @pulsar-admin
    Scenario: What Pulsar consumers have not acknowledged comes again
      Given the target declares that Pulsar consumers are members-exclude
      And a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1
      When a Pulsar consumer subscribes as group "billing"
      And the Pulsar consumer of group "billing" acknowledges all of 4 but number 3
      And the Pulsar consumer of group "billing" leaves
      Then group "billing" soon has committed offset 3
      And group "billing" starts, and receives exactly what follows offset 3

    @PT-7 @kafka @pulsar
    Scenario: Pulsar consumers are always refused
      Given the target declares that Pulsar consumers are refused
      And a topic
      When a Kafka producer sends 3 random records one by one
      And group "billing" commits offset 1
      Then a Pulsar consumer that subscribes as group "billing" is refused

    @PT-7 @kafka @pulsar @pulsar-admin
    Scenario: Pulsar consumers do not move the group
      Given the target declares that Pulsar consumers are separate
      And a topic
      When a Kafka producer sends 6 random records one by one
      And group "billing" commits offset 1
      Then the subscription of group "billing" soon stands at offset 1
      When a Pulsar consumer subscribes as group "billing"
      And the Pulsar consumer of group "billing" acknowledges 2
      And the Pulsar consumer of group "billing" leaves
      Then group "billing" has committed offset 1
      And group "billing" starts, and receives exactly what follows offset 1
