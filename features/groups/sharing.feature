Feature: Members of a group share its partitions

  The document: "The group coordinator manages the consumer group and its partition assignment."

  Rule: Members of a group share the partitions: each partition one member, all partitions covered, for range, round-robin, sticky and cooperative-sticky

    @GC-1 @kafka
    Scenario Outline: <members> of a group over <partitions> partitions, by <assignor>
      Given a topic of <partitions> partitions
      When <members> members join a group, assigned by <assignor>
      Then they share the partitions: each has some, and each partition is one member's

      Examples:
        | members | partitions | assignor           |
        | 1       | 3          | roundrobin         |
        | 2       | 5          | roundrobin         |
        | 3       | 4          | roundrobin         |
        | 1       | 3          | range              |
        | 2       | 5          | range              |
        | 3       | 4          | range              |
        | 2       | 5          | sticky             |
        | 3       | 4          | sticky             |
        | 2       | 5          | cooperative-sticky |
        | 3       | 4          | cooperative-sticky |

    @GC-1 @kafka
    Scenario Outline: Several topics, by <assignor>
      Given a topic of 3 partitions
      And a topic of 2 partitions
      And a topic of 4 partitions
      When 2 members join a group, assigned by <assignor>
      Then they share the partitions: each has some, and each partition is one member's

      Examples:
        | assignor           |
        | roundrobin         |
        | range              |
        | sticky             |
        | cooperative-sticky |

    @GC-1 @kafka
    Scenario Outline: Members come and go, by <assignor>
      Given a topic of 6 partitions
      When 2 members join a group, assigned by <assignor>
      Then they share the partitions: each has some, and each partition is one member's
      When one more member joins
      Then they share the partitions: each has some, and each partition is one member's
      When the first member leaves
      Then they share the partitions: each has some, and each partition is one member's

      Examples:
        | assignor           |
        | roundrobin         |
        | range              |
        | cooperative-sticky |

    @GC-1 @kafka
    Scenario: More members than partitions
      Given a topic of 2 partitions
      When 3 members join a group, assigned by roundrobin
      Then each partition is one member's, and one member has none

    @GC-1 @kafka
    Scenario: Two groups share nothing: each has all partitions
      Given a topic of 3 partitions
      When 1 member joins a group, assigned by roundrobin
      And 1 member joins another group, assigned by roundrobin
      Then each of the two has all partitions

    @GC-1 @kafka
    Scenario: Each member receives what is in its partitions, and nothing else
      Given a topic of 4 partitions
      When 2 members join a group, assigned by roundrobin
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 3 random records to each partition
      Then each member receives exactly what is new in its partitions

    @GC-1 @kafka
    Scenario: Cooperatively, what stays with a member is never taken from it
      Given a topic of 4 partitions
      When 1 member joins a group, assigned by cooperative-sticky
      Then they share the partitions: each has some, and each partition is one member's
      When one more member joins
      Then they share the partitions: each has some, and each partition is one member's
      And the first member has kept what it has now all the time

    @GC-1 @raw
    Scenario: Members are told of a rebalance by their heartbeats, and the generation rises by one
      Given a topic of 3 partitions
      And a group of "A" and "B"
      Then "C" joins "A" and "B" in the next generation

    @GC-1 @raw
    Scenario: Each member is given what the leader gave it, byte for byte
      Given a topic of 3 partitions
      And a group of "A", "B" and "C"
      Then "A" and "B" are given the same assignment as before
      And "B" and "C" are given the same assignment as before
