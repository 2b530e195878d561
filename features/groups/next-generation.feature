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

    @GC-11 @kafka @raw @slow
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
      When 1 member joins a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      When one more member joins
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 5 random records to each partition
      Then each member receives exactly what is new in its partitions
      When the first member commits 2 of each partition, and the others all
      And the first member leaves
      Then they share the partitions: each has some, and each partition is one member's
      And the second member receives exactly what the first had not committed

    @GC-11 @kafka @raw @slow
    Scenario: A member dies, and nothing is skipped
      Given a topic of 4 partitions
      When 1 member joins a group by the consumer protocol, each in a process of its own
      Then they share the partitions: each has some, and each partition is one member's
      When one more member joins
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

    @GC-11 @kafka @raw @slow
    Scenario: A topic that grows is shared anew
      Given a topic of 2 partitions
      When 2 members join a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      When the topic grows to 6 partitions under them
      Then they share the partitions: each has some, and each partition is one member's

    @GC-11 @kafka @raw @kafka-admin
    Scenario: Described by Kafka's own tool
      Given a topic of 4 partitions
      When 2 members join a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      And the tool describes the group with these members

    # An empty group can be joined by the other protocol, and goes on where it was.

    @GC-11 @kafka @raw
    Scenario: From the classic protocol
      Given a topic of 2 partitions
      When 1 member joins a group, assigned by range
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 4 random records to each partition
      Then each member receives exactly what is new in its partitions
      When the first member commits 3 of each partition, and the others all
      And the first member leaves
      And 1 member joins a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      And the second member receives exactly what the first had not committed

    @GC-11 @kafka @raw
    Scenario: To the classic protocol
      Given a topic of 2 partitions
      When 1 member joins a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 4 random records to each partition
      Then each member receives exactly what is new in its partitions
      When the first member commits 1 of each partition, and the others all
      And the first member leaves
      And 1 member joins a group, assigned by range
      Then they share the partitions: each has some, and each partition is one member's
      And the second member receives exactly what the first had not committed

    # Pulsar's tools move it as any other group.

    @GC-11 @PT-3 @kafka @raw @pulsar-admin
    Scenario: A tool moves it under its member, and the tool wins
      Given the target lets a tool win over members
      And a topic of 1 partition
      When 1 member joins a group by the consumer protocol
      Then they share the partitions: each has some, and each partition is one member's
      When a Kafka producer sends 6 random records one by one
      Then each member receives exactly what is new in its partitions
      When each member commits what it received
      Then Pulsar's tool soon lists the group
      When Pulsar's tool resets the group to the message at offset 2
      Then the member receives offsets 2 to 5 again

    # A partition changes hands only when the member that has it has said that it let it go.

    @GC-11 @raw
    Scenario: A partition is another member's only when it was let go
      Given a topic of 2 partitions
      And a group of "A" by the consumer protocol
      Then "A" is soon given 2 partitions
      Given a group of "B" by the consumer protocol
      Then "A" is soon given 1 partition
      And "B" is given nothing yet
      When "A" says that it has what it is given, and no more
      Then "B" is soon given 1 partition
      And no partition is given to two of them

    # A member is heard in its own epoch only.

    @GC-11 @raw
    Scenario Outline: <api> in <which> epoch
      Given a topic of 2 partitions
      And a group of "A" by the consumer protocol
      Then <api> of "A" in <which> epoch is answered <error>

      Examples:
        | api                    | which    | error               |
        | ConsumerGroupHeartbeat | its      | NONE                |
        | ConsumerGroupHeartbeat | a later  | FENCED_MEMBER_EPOCH |
        | OffsetCommit           | its      | NONE                |
        | OffsetCommit           | an older | STALE_MEMBER_EPOCH  |
        | OffsetCommit           | a later  | STALE_MEMBER_EPOCH  |
        | OffsetFetch            | its      | NONE                |
        | OffsetFetch            | a later  | STALE_MEMBER_EPOCH  |

    @GC-11 @raw
    Scenario Outline: <api> after leaving
      Given a topic of 2 partitions
      And a group of "A" by the consumer protocol
      And a group of "B" by the consumer protocol
      When "A" leaves it by the consumer protocol
      Then <api> of "A" in its epoch is answered UNKNOWN_MEMBER_ID

      Examples:
        | api                    |
        | ConsumerGroupHeartbeat |
        | OffsetCommit           |
        | OffsetFetch            |

    @GC-11 @raw
    Scenario Outline: A heartbeat of a newcomer with <what> "<value>"
      Given a topic of 2 partitions
      And a group of "A" by the consumer protocol, as instance "i-1"
      Then a heartbeat of a newcomer with <what> "<value>" is answered <error>

      Examples:
        | what     | value   | error                      |
        | assignor | uniform | NONE                       |
        | assignor | range   | NONE                       |
        | assignor | nobodys | UNSUPPORTED_ASSIGNOR       |
        | pattern  | kct-.*  | NONE                       |
        | pattern  | (       | INVALID_REGULAR_EXPRESSION |
        | instance | i-1     | UNRELEASED_INSTANCE_ID     |
        | instance | i-2     | NONE                       |
        | epoch    | 7       | UNKNOWN_MEMBER_ID          |
        | epoch    | -3      | INVALID_REQUEST            |

    @GC-11 @raw
    Scenario Outline: A member goes on in its epoch when the broker is <what>
      Given a target of its own
      And a topic of 2 partitions
      And a group of "A" by the consumer protocol
      When the target is <what>
      Then ConsumerGroupHeartbeat of "A" in its epoch is answered NONE
      And OffsetCommit of "A" in an older epoch is answered STALE_MEMBER_EPOCH
      And OffsetCommit of "A" in its epoch is answered NONE

      @power-restart
      Examples:
        | what      |
        | restarted |

      @power-kill
      Examples:
        | what                     |
        | killed and started again |
