Feature: A group's offsets under the names that a topic has

  Rule: Where full names are offered, the short and the full name of one topic share data, offsets and group commits

    @MT-3 @raw
    Scenario Outline: Committed by the <one> name, read by the <other> name
      Given a topic of 2 partitions
      And the target offers full names
      When the group commits offset 5 of partition 1 by the <one> name
      Then by the <other> name, partition 1 reads offset 5

      Examples:
        | one   | other |
        | short | full  |
        | full  | short |

    @MT-3 @raw
    Scenario: A commit by the full name replaces the one by the short name
      Given a topic of 2 partitions
      And the target offers full names
      When the group commits offset 5 of partition 1 by the short name
      And the group commits offset 3 of partition 1 by the full name
      Then by the short name, partition 1 reads offset 3
      And by the full name, partition 1 reads offset 3
      And all that the group has committed is one offset
