Feature: Kafka's own tools manage groups

  Rule: Groups are listed, described and deleted with Kafka's own tools

    @GC-9 @raw @kafka-admin
    Scenario: Described, with its members and their lag
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When a batch of 5 records is produced to partition 0
      And a batch of 4 records is produced to partition 1
      And "A" sends OffsetCommit
      Then the tool describes the group as Stable, by "range", with "A" and "B" and what each has
      And the tool tells its offsets
        | partition | offset | end | lag  | member |
        | 0         | 3      | 5   | 2    | A      |
        | 1         | none   | 4   | none | B      |

    @GC-9 @raw @kafka-admin
    Scenario: Described, when nobody is in it
      Given a topic of 2 partitions
      When a batch of 5 records is produced to partition 0
      And the group commits offset 4 of the topic
      Then the tool describes the group as Empty, without members
      And the tool tells its offsets
        | partition | offset | end | lag | member |
        | 0         | 4      | 5   | 1   | nobody |

    @GC-9 @raw @kafka-admin
    Scenario: Static members are described with their instance ids
      Given a topic of 2 partitions
      And a group of static members "A" and "B"
      Then the tool describes the group as Stable, by "range", with "A" and "B" and what each has

    @GC-9 @raw @kafka-admin
    Scenario: Listed, with their states
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When another group commits offset 3 of each partition
      Then the tool lists the group as Stable and the other as Empty, once each

    @GC-9 @raw @kafka-admin
    Scenario: A group that nobody has ever heard of
      Then describing a group of another name is refused with GROUP_ID_NOT_FOUND
      And deleting a group of another name is refused with GROUP_ID_NOT_FOUND

    @GC-9 @raw @kafka-admin
    Scenario: An empty group is deleted, with its offsets
      Given a topic of 2 partitions
      And a group of "A"
      When "A" sends OffsetCommit
      And "A" leaves
      And another group commits offset 3 of each partition
      And the tool deletes the group
      Then all that the group has committed is nothing
      And the tool does not list the group
      And the other group still has committed offset 3 of each partition

    @GC-9 @raw @kafka-admin
    Scenario: A group with members is not deleted
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When "A" sends OffsetCommit
      Then deleting the group is refused with NON_EMPTY_GROUP
      And "A" and "B" are members as before
      And all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |

    @GC-9 @raw @kafka-admin
    Scenario: Offsets of one topic are deleted
      Given a topic of 2 partitions
      And a topic of 2 partitions
      When the group commits in version 7
        | topic | partition | offset |
        | 1     | 0         | 5      |
        | 1     | 1         | 6      |
        | 2     | 1         | 7      |
      And the tool deletes the group's offsets of the first topic
      Then all that the group has committed is
        | topic | partition | offset |
        | 2     | 1         | 7      |

    @GC-9 @raw @kafka-admin
    Scenario: Offsets of a topic that members subscribe to are not deleted
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When "A" sends OffsetCommit
      Then deleting the group's offsets of the first topic is refused with GROUP_SUBSCRIBED_TO_TOPIC
      And all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |

    @GC-9 @raw @kafka-admin
    Scenario Outline: Offsets are reset to <where>
      Given a topic of 2 partitions
      When a batch of 6 records is produced to partition 0
      And a batch of 2 records is produced to partition 1
      And the group commits in version 7
        | topic | partition | offset |
        | 1     | 0         | 3      |
        | 1     | 1         | 1      |
      And the tool resets the group's offsets to <where>
      Then all that the group has committed is
        | topic | partition | offset  |
        | 1     | 0         | <first> |
        | 1     | 1         | <other> |

      Examples:
        | where         | first | other |
        | the earliest  | 0     | 0     |
        | the latest    | 6     | 2     |
        | offset 2      | 2     | 2     |
        | 1 before      | 2     | 0     |
        | 1 after       | 4     | 2     |
        | long ago      | 0     | 0     |

    @GC-9 @raw @kafka-admin
    Scenario: Offsets are not reset while the group has members
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When a batch of 6 records is produced to partition 0
      And "A" sends OffsetCommit
      Then resetting the group's offsets to the earliest is refused with NON_EMPTY_GROUP
      And all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |

    @GC-9 @kafka @kafka-admin
    Scenario: Members of a client library are described with what they have
      Given a topic of 3 partitions
      When 2 members join a group, assigned by roundrobin
      Then they share the partitions: each has some, and each partition is one member's
      And the tool describes the group with these members
      When the first member leaves
      Then they share the partitions: each has some, and each partition is one member's
      And the tool describes the group with these members
