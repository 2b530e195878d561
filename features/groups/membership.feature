Feature: A group knows its members and its generation

  The document: "The group coordinator manages the consumer group and its partition assignment." A member that acts on an
  assignment of the past, or that the group does not know, is told so, before it can do harm.

  Rule: Old generations get ILLEGAL_GENERATION, unknown members UNKNOWN_MEMBER_ID, first joins of v4+ MEMBER_ID_REQUIRED; static members keep their place (KIP-345)

    @GC-7 @raw
    Scenario Outline: A first join in version <version> is given an id to join with
      Given a topic
      When "A" asks to join in version <version>
      Then the answer is MEMBER_ID_REQUIRED
      And it gives "A" a member id
      When "A" asks to join in version <version>
      Then the answer is NONE
      And "A" is the leader of generation 1, under the id that it was given

      Examples:
        | version |
        | 4       |
        | 5       |
        | 6       |
        | 7       |
        | 8       |
        | 9       |

    @GC-7 @raw
    Scenario Outline: A first join in version <version> is a join
      Given a topic
      When "A" asks to join in version <version>
      Then the answer is NONE
      And "A" is the leader of generation 1, under the id that it was given

      Examples:
        | version |
        | 0       |
        | 1       |
        | 2       |
        | 3       |

    @GC-7 @raw
    Scenario Outline: <request> in the generation <which>
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When "A" sends <request> in the generation <which>
      Then the answer is ILLEGAL_GENERATION
      And the group has committed nothing
      And "A" and "B" are members as before

      Examples:
        | request      | which  |
        | Heartbeat    | before |
        | SyncGroup    | before |
        | OffsetCommit | before |
        | Heartbeat    | after  |
        | SyncGroup    | after  |
        | OffsetCommit | after  |

    @GC-7 @raw
    Scenario Outline: <request> of a member that the group does not know
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When "nobody", whom the group does not know, sends <request>
      Then the answer is UNKNOWN_MEMBER_ID
      And the group has committed nothing
      And "A" and "B" are members as before

      Examples:
        | request      |
        | JoinGroup    |
        | SyncGroup    |
        | Heartbeat    |
        | OffsetCommit |
        | LeaveGroup   |

    @GC-7 @raw
    Scenario Outline: <request> to a group that nobody has joined
      Given a topic
      When "nobody", whom the group does not know, sends <request>
      Then the answer is <error>

      Examples:
        | request      | error                                    |
        | JoinGroup    | UNKNOWN_MEMBER_ID                        |
        | SyncGroup    | UNKNOWN_MEMBER_ID                        |
        | Heartbeat    | UNKNOWN_MEMBER_ID                        |
        | OffsetCommit | ILLEGAL_GENERATION or GROUP_ID_NOT_FOUND |
        | LeaveGroup   | UNKNOWN_MEMBER_ID                        |

    @GC-7 @raw
    Scenario: A commit without membership, while the group has members
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When a client without membership commits offset 3
      Then the answer is UNKNOWN_MEMBER_ID
      And the group has committed nothing

    @GC-7 @raw
    Scenario: A member that has left is unknown
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When "B" leaves
      And "B" sends Heartbeat
      Then the answer is UNKNOWN_MEMBER_ID
      When "B" sends OffsetCommit
      Then the answer is UNKNOWN_MEMBER_ID
      And the group has committed nothing

    @GC-7 @raw
    Scenario Outline: A second member that <what> is not let in
      Given a topic of 2 partitions
      And a group of "A"
      When "B", who <what>, asks to join
      Then the answer is INCONSISTENT_GROUP_PROTOCOL
      And "A" is a member as before

      Examples:
        | what                             |
        | offers none of its protocols     |
        | is of another type of protocol   |
        | offers no protocol               |

    @GC-7 @raw
    Scenario: The protocol that the group takes is one that all members offer
      Given a topic of 2 partitions
      And "A", who offers "sticky, range, roundrobin"
      And "B", who offers "roundrobin, range"
      And a group of "A" and "B"
      Then its protocol is "range" or "roundrobin"

    @GC-7 @raw
    Scenario: A member that asks for an assignment by another protocol than the group's
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When "A" asks for its assignment by another protocol
      Then the answer is INCONSISTENT_GROUP_PROTOCOL
      And "A" and "B" are members as before

    @GC-7 @raw
    Scenario: Only the leader is told who is in the group
      Given a topic of 2 partitions
      And a group of "A" and "B"
      Then the leader was told of "A" and "B", and nobody else of anyone

    @GC-7 @raw
    Scenario Outline: A static member joins at once in version <version>
      Given a topic
      When "A", a static member, asks to join in version <version>
      Then the answer is NONE
      And "A" is the leader of generation 1, under the id that it was given

      Examples:
        | version |
        | 5       |
        | 9       |

    @GC-7 @raw
    Scenario Outline: A static <role> that starts again keeps generation and assignment
      Given a topic of 2 partitions
      And a group of static members "A" and "B"
      When the <role> starts again
      Then it has another member id, in the same generation, and the same assignment
      And the other member notices nothing

      Examples:
        | role     |
        | leader   |
        | follower |

    @GC-7 @raw
    Scenario Outline: <request> by the id that a static member had before it started again
      Given a topic of 2 partitions
      And a group of static members "A" and "B"
      When the follower starts again
      And its former self sends <request>
      Then the answer is FENCED_INSTANCE_ID
      And the group has committed nothing
      And "A" and "B" are members as before

      Examples:
        | request      |
        | JoinGroup    |
        | SyncGroup    |
        | Heartbeat    |
        | OffsetCommit |
        | LeaveGroup   |

    @GC-7 @raw
    Scenario: A static member is taken out by its instance id
      Given a topic of 2 partitions
      And a group of static members "A" and "B"
      When the instance of "B" and one that is not there are taken out of the group
      Then the answer is NONE for "B" and UNKNOWN_MEMBER_ID for the other
      And the group is rebalanced to "A"
      And "B" is no member any more

    @GC-7 @raw
    Scenario: An instance id that the group does not know
      Given a topic of 2 partitions
      And a group of static members "A" and "B"
      When "C", an instance that the group does not know, sends Heartbeat
      Then the answer is UNKNOWN_MEMBER_ID
