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
    Scenario: When the last member has left, they are dropped
      Given a target that looks for old commits often
      And a topic of 2 partitions
      And a group of "A"
      When "A" commits offset 3 in version 4, to be kept for 1 ms
      And "A" leaves
      Then what the group has committed is dropped
