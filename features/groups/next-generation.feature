Feature: Groups whose partitions the coordinator assigns

  Rule: The consumer protocol of KIP-848

    @GC-11 @kafka @raw
    Scenario Outline: <members> members over <partitions> partitions
      Given a topic of <partitions> partitions
      When <members> members join a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's

      Examples:
        | members | partitions |
        | 1       | 3          |
        | 2       | 5          |
        | 3       | 4          |

    @GC-11 @kafka @raw
    Scenario: Members come and go, and what stays with a member is never taken from it
      Given a topic of 4 partitions
      When 1 member joins a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      When one more member joins
      Then they share the partitions: each has some, and each partition is one member's
      And the first member has kept what it has now all the time
      When the first member leaves
      Then they share the partitions: each has some, and each partition is one member's

    @GC-11 @kafka @raw
    Scenario: A member leaves, and nothing is skipped
      Given a topic of 4 partitions
      When 2 members join a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 5 random records to each partition
      Then each member receives exactly what is new in its partitions
      When the first member commits 2 of each partition, and the others all
      And the first member leaves
      Then they share the partitions: each has some, and each partition is one member's
      And the second member receives exactly what the first had not committed

    @GC-11 @kafka @raw
    Scenario: A member dies, and nothing is skipped
      Given a topic of 4 partitions
      When 2 members join a group by the consumer protocol, each in a process of its own
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 5 random records to each partition
      Then each member receives exactly what is new in its partitions
      When the first member commits 2 of each partition, and the others all
      And the process of the first member is killed
      Then they share the partitions: each has some, and each partition is one member's
      And the second member receives exactly what the first had not committed

    @GC-11 @kafka @raw
    Scenario: A static member that starts again in time has its partitions back, and nobody else notices
      Given a topic of 4 partitions
      When 2 static members join a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      When the first member is closed and opened again
      Then it has the partitions that it had, and the second member has noticed nothing
