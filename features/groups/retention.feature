Feature: Commits do not stay for ever

  Rule: Commits older than the retention are dropped, of empty groups only

    @GC-10 @raw
    Scenario Outline: Commits that ask in version <version> for a retention of 1 ms
      Given a target that looks for old commits often
      And a topic of 2 partitions
      And a group of "A"
      When "A" commits offset 3 in version <version>, to be kept for 1 ms
      And a group without members does the same
      And a group without members commits offset 5 to be kept as long as usual
      Then the commit of the group without members is dropped
      And the commit of "A" is still there, and so is the one to be kept

      Examples:
        | version |
        | 2       |
        | 3       |
        | 4       |

    @GC-10 @raw
    Scenario: A group loses its old commit, and keeps the newer one
      Given a target that looks for old commits often
      And a topic of 2 partitions
      When the group commits partition 1 to be kept as long as usual, and partition 0 to be kept for 1 ms
      Then its commit of partition 0 is dropped, and that of partition 1 is still there

    @GC-10 @raw
    Scenario: When the last member has left, they are dropped
      Given a target that looks for old commits often
      And a topic of 2 partitions
      And a group of "A"
      When "A" commits offset 3 in version 4, to be kept for 1 ms
      And "A" leaves
      Then what the group has committed is dropped

    @GC-10 @raw @power-configure
    Scenario: While a group has members its commits stay, and their time begins when the last one has left
      Given a target of its own with
        | offsetsRetentionMinutes         | 0.03 |
        | offsetsRetentionCheckIntervalMs | 50   |
      And a topic of 2 partitions
      And a group of "A"
      When "A" sends OffsetCommit
      And a group without members commits offset 5
      Then the commit of the group without members is dropped
      And all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |
      When "A" leaves
      And the target has looked for old commits once more
      Then all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |
      And what the group has committed is dropped

    @GC-10 @raw @power-configure
    Scenario: A newer commit is kept when an older one has to go
      Given a target of its own with
        | offsetsRetentionMinutes         | 0.02 |
        | offsetsRetentionCheckIntervalMs | 50   |
      And a topic of 2 partitions
      When a group without members commits offset 5
      And the group commits again and again until the commit of the group without members is dropped
      Then what the group has committed last is still there
      And what the group has committed is dropped

    @GC-10 @raw @pulsar @power-configure
    Scenario: What is dropped leaves tombstones in the offsets topic
      Given a target of its own with
        | offsetsRetentionMinutes         | 0.001 |
        | offsetsRetentionCheckIntervalMs | 50    |
      And the declared offsets topic
      And a topic of 2 partitions
      When the group commits offset 5 of the topic
      Then what the group has committed is dropped
      And every key of the group ends with a tombstone
