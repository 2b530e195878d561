Feature: Groups and their offsets are records of a Pulsar topic

  The document: "The group coordinator stores the consumer group metadata and offsets in a Pulsar system topic." What is
  acknowledged can be read there by any Pulsar reader.

  Rule: Group changes and offsets are stored in a Pulsar system topic, keyed so that the last value of a key is the state; a Pulsar reader can read it

    @GC-4 @raw @pulsar
    Scenario: A commit, once acknowledged, is there to be read
      Given the declared offsets topic
      And a topic of 3 partitions
      When the group commits in version 7
        | topic | partition | offset | metadata |
        | 1     | 0         | 0      | first    |
        | 1     | 2         | 41     |          |
      Then the offsets topic says of the group, by the last value of each key
        | topic | partition | offset | metadata |
        | 1     | 0         | 0      | first    |
        | 1     | 2         | 41     |          |

    @GC-4 @raw @pulsar
    Scenario: The last value of a key is the state
      Given the declared offsets topic
      And a topic of 2 partitions
      When the group commits offset 9 with the metadata "before"
      And another group commits offset 3 of each partition
      And the group commits offset 4 with the metadata "after"
      Then the offsets topic says of the group, by the last value of each key
        | topic | partition | offset | metadata |
        | 1     | 0         | 4      | after    |

    @GC-4 @raw @pulsar
    Scenario: A reader that waits at the end is told of each commit that comes
      Given the declared offsets topic
      And a topic
      And a Pulsar reader that waits at the end of the group's part of the offsets topic
      When the group commits offset 5 with the metadata "one"
      And the group commits offset 6 with the metadata "two"
      Then the reader is told of the commits of the group, one after the other
        | topic | partition | offset | metadata |
        | 1     | 0         | 5      | one      |
        | 1     | 0         | 6      | two      |

    @GC-4 @raw @pulsar
    Scenario: The group itself, with its generation and members
      Given the declared offsets topic
      And a topic of 2 partitions
      And a group of "A" and "B"
      Then the offsets topic has the group in the generation of "A" and "B", with the assignment of each

    @GC-4 @raw @pulsar
    Scenario: The group itself, when its last member has left
      Given the declared offsets topic
      And a topic of 2 partitions
      And a group of "A"
      When "A" sends OffsetCommit
      And "A" leaves
      Then the offsets topic has the group without members
      And the offsets topic says of the group, by the last value of each key
        | topic | partition | offset | metadata |
        | 1     | 0         | 3      |          |

    @GC-4 @raw @pulsar
    Scenario: A deleted group leaves tombstones
      Given the declared offsets topic
      And a topic of 2 partitions
      And a group of "A"
      When "A" sends OffsetCommit
      And "A" leaves
      And the group is deleted
      Then every key of the group ends with a tombstone

    @GC-4 @raw @pulsar
    Scenario: A deleted offset leaves a tombstone, and the others stay
      Given the declared offsets topic
      And a topic of 2 partitions
      When the group commits in version 7
        | topic | partition | offset | metadata |
        | 1     | 0         | 5      |          |
        | 1     | 1         | 6      |          |
      And the group's offset of partition 0 is deleted
      Then the offsets topic says of the group, by the last value of each key
        | topic | partition | offset | metadata |
        | 1     | 1         | 6      |          |
      And all that the group has committed is
        | topic | partition | offset |
        | 1     | 1         | 6      |

    @GC-4 @raw @pulsar
    Scenario: Everything of a group is in one partition, in order
      Given the declared offsets topic
      And a topic of 5 partitions
      When the group commits in version 7
        | topic | partition | offset | metadata |
        | 1     | 0         | 1      |          |
        | 1     | 1         | 2      |          |
        | 1     | 2         | 3      |          |
        | 1     | 3         | 4      |          |
        | 1     | 4         | 5      |          |
      Then the group's records are in one partition of the offsets topic

  Rule: That topic's name; the document's is `public/kafka/__offsets`, later KoP's is `public/__kafka/__consumer_offsets`

    @GC-13 @raw @pulsar
    Scenario: It has the name that the target declares
      Given the declared offsets topic
      And a topic
      When the group commits offset 5 with the metadata "here"
      Then Pulsar finds it under the declared name, and a keyed message of the commit in it

    @GC-13 @raw @pulsar @power-configure
    Scenario: It has the name that the administrator gives it
      Given a target of its own with
        | kafkaMetadataNamespace    | __kafka            |
        | offsetsTopicName          | __consumer_offsets |
        | offsetsTopicNumPartitions | 3                  |
      And the declared offsets topic
      And a topic
      When the group commits offset 5 with the metadata "here"
      Then Pulsar finds it under the declared name, and a keyed message of the commit in it
      And the group's records are in one partition of the offsets topic
