Feature: What a member had, others take over

  Rule: A member that leaves or dies has its partitions taken over, and nothing is skipped

    @GC-2 @kafka
    Scenario: A member leaves
      Given a topic of 4 partitions
      # The second has never had what the first leaves: some clients hand out late what they fetched before a rebalance.
      When 1 member joins a group, assigned by roundrobin
      Then they share the partitions: each has some, and each partition is one member's
      When one more member joins
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 3 random records to each partition
      Then each member receives exactly what is new in its partitions
      When each member commits what it received
      And the first member leaves
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 2 random records to each partition
      Then each member receives exactly what is new in its partitions

    @GC-2 @kafka
    Scenario: A member leaves without having committed all that it received
      Given a topic of 4 partitions
      When 1 member joins a group, assigned by roundrobin
      Then they share the partitions: each has some, and each partition is one member's
      When one more member joins
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 5 random records to each partition
      Then each member receives exactly what is new in its partitions
      When the first member commits 2 of each partition, and the others all
      And the first member leaves
      Then they share the partitions: each has some, and each partition is one member's
      And the second member receives exactly what the first had not committed

    @GC-2 @kafka @raw @slow
    Scenario: A member dies
      Given a topic of 4 partitions
      When 1 member with short session time-outs joins a group, each in a process of its own
      Then they share the partitions: each has some, and each partition is one member's
      When one more member joins
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 5 random records to each partition
      Then each member receives exactly what is new in its partitions
      When the first member commits 2 of each partition, and the others all
      And the process of the first member is killed
      Then they share the partitions: each has some, and each partition is one member's
      And the second member receives exactly what the first had not committed

    @GC-2 @kafka @raw @slow
    Scenario: All members die, and another comes
      Given a topic of 2 partitions
      When 1 member with short session time-outs joins a group, each in a process of its own
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 4 random records to each partition
      Then each member receives exactly what is new in its partitions
      When the first member commits 1 of each partition, and the others all
      And the process of the first member is killed
      And one more member joins
      Then they share the partitions: each has some, and each partition is one member's
      And the second member receives exactly what the first had not committed

    @GC-2 @kafka
    Scenario: A static member that starts again in time has its partitions back, and nobody else notices
      Given a topic of 4 partitions
      When 2 static members join a group, assigned by range
      Then they share the partitions: each has some, and each partition is one member's
      When the first member is closed and opened again
      Then it has the partitions that it had, and the second member has noticed nothing

    @GC-2 @raw
    Scenario: A member that is silent for longer than its session is taken for dead, one that beats is not
      Given a topic of 2 partitions
      And a group of "A" and "B", with short sessions
      Then the group is rebalanced to "A"
      And "B" is no member any more

    @GC-2 @raw
    Scenario: A member that does not join again in time is left out
      Given a topic of 2 partitions
      And a group of "A" and "B", who wait 700 ms for each other to join again
      When "C" joins, "A" joins again, and "B" only beats
      Then the generation has "A" and "C"
      And "B" is no member any more

    @GC-2 @raw
    Scenario: A member that leaves is missed at once
      Given a topic of 2 partitions
      And a group of "A" and "B", with long sessions
      When "B" leaves
      Then the group is rebalanced to "A"
      And "B" is no member any more

    @GC-2 @raw
    Scenario: While a rebalance waits for them, members can still commit
      Given a topic of 3 partitions
      And a group of "A" and "B"
      When "C" begins to join, and "A" is told
      And "A" sends OffsetCommit
      Then the answer is NONE
      When "A" sends SyncGroup
      Then the answer is REBALANCE_IN_PROGRESS
      And "C" is let in when "A" and "B" have joined again
      And all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |
