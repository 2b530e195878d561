Feature: A group's coordinator is found, and loses nothing

  The document: "The group coordinator stores the consumer group metadata and offsets." In Pulsar the owner of a topic's
  partition serves it; the coordinator of a group is the owner of the offsets topic's partition for the group.

  Rule: FindCoordinator names the owner of that topic's partition for the group

    @GC-5 @raw
    Scenario Outline: Asked for one group in version <version>
      When the coordinator of a group is asked for in version <version>
      Then it is one of the brokers, at the address that Metadata gives
      And it serves the group

      Examples:
        | version |
        | 0       |
        | 1       |
        | 2       |
        | 3       |

    @GC-5 @raw
    Scenario Outline: Asked for several groups in version <version>
      When the coordinators of 5 groups are asked for in one request of version <version>
      Then each group is answered, under its own name
      And each is one of the brokers, and serves its group

      Examples:
        | version |
        | 4       |
        | 5       |
        | 6       |

    @GC-5 @raw
    Scenario: Asked again, it is the same
      When the coordinator of a group is asked for in version 3
      Then asking again names the same broker

    @GC-5 @raw
    Scenario: Another broker than the coordinator does not take the group's requests
      Given a target of several brokers
      When the coordinator of a group is asked for in version 3
      Then every other broker answers requests of the group with NOT_COORDINATOR

    @GC-5 @raw @pulsar
    Scenario: It is the owner by Pulsar's own look-up
      Given the declared offsets topic
      Then the coordinator of each of 8 groups is the owner of the group's partition, by Pulsar's look-up

  Rule: Committed offsets survive member, coordinator and broker restart

    @GC-3 @kafka
    Scenario: A consumer that is started again goes on where it had committed
      Given a topic
      When a Kafka producer sends 7 random records in one batch
      Then a consumer of a new group reads exactly the first 4 of them
      And another consumer of the group reads exactly the other 3
      And the group has committed offset 7

    @GC-3 @raw
    Scenario Outline: Commits, and the last of many for one partition, when the broker is <what>
      Given a target of its own
      And a topic of 2 partitions
      When the group commits each offset from 1 to 25 of the topic, one after the other
      And the group commits in version 7
        | topic | partition | offset | metadata |
        | 1     | 1         | 3      | note     |
      And the target is <what>
      Then all that the group has committed is
        | topic | partition | offset | metadata |
        | 1     | 0         | 25     |          |
        | 1     | 1         | 3      | note     |
      When the group commits offset 26 of the topic
      Then all that the group has committed is
        | topic | partition | offset | metadata |
        | 1     | 0         | 26     |          |
        | 1     | 1         | 3      | note     |

      @power-restart
      Examples:
        | what      |
        | restarted |

      @power-kill
      Examples:
        | what                     |
        | killed and started again |

    @GC-3 @raw
    Scenario Outline: A group with members goes on in its generation when the broker is <what>
      Given a target of its own
      And a topic of 3 partitions
      And a group of "A" and "B"
      When "A" sends OffsetCommit
      And the target is <what>
      Then all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |
      And "A" and "B" are members as before
      And "A" and "B" are given the same assignment as before
      When "A" sends Heartbeat in the generation before
      Then the answer is ILLEGAL_GENERATION
      And "C" joins "A" and "B" in the next generation

      @power-restart
      Examples:
        | what      |
        | restarted |

      @power-kill
      Examples:
        | what                     |
        | killed and started again |

    @GC-3 @raw @pulsar @power-roll-over
    Scenario: Commits and members, when the coordinator's part of the offsets topic is unloaded
      Given a target of its own
      And the declared offsets topic
      And a topic of 2 partitions
      And a group of "A" and "B"
      When "A" sends OffsetCommit
      And the group's part of the offsets topic is unloaded
      Then all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |
      And "A" and "B" are given the same assignment as before
      And "A" and "B" are members as before
      When "B" sends OffsetCommit
      Then the answer is NONE
      And the offsets topic says of the group, by the last value of each key
        | topic | partition | offset | metadata |
        | 1     | 0         | 3      |          |

    @GC-3 @raw @power-fail-store
    Scenario: A commit that cannot be stored is not acknowledged
      Given a target of its own
      And a topic
      When the group commits offset 5 of the topic
      And the target’s store begins to fail
      Then a commit of offset 6 is answered with an error
      When the target’s store is mended
      And the group commits offset 7 of the topic
      Then all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 7      |

    @GC-3 @raw @power-kill
    Scenario: A static member keeps its place over a restart of the broker and of itself
      Given a target of its own
      And a topic of 2 partitions
      And a group of static members "A" and "B"
      When the target is killed and started again
      And the follower starts again
      Then it has another member id, in the same generation, and the same assignment
      And the other member notices nothing

    @GC-3 @raw @power-kill
    Scenario: What was deleted stays deleted
      Given a target of its own
      And a topic of 2 partitions
      When the group commits offset 9 of the topic
      And another group commits offset 3 of each partition
      And the group is deleted
      And the target is killed and started again
      Then all that the group has committed is nothing
      And the other group still has committed offset 3 of each partition
