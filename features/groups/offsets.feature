Feature: A group's offsets are what it has committed

  Rule: An offset never committed reads −1 without error; asking for all partitions returns all that are committed

    @GC-6 @raw
    Scenario Outline: What was never committed, asked in version <version>
      Given a topic of 3 partitions
      When the group commits in version 7
        | topic | partition | offset |
        | 1     | 1         | 5      |
      Then partitions 0 to 2 read, in version <version>
        | partition | offset | error |
        | 0         | -1     | NONE  |
        | 1         | 5      | NONE  |
        | 2         | -1     | NONE  |

      Examples:
        | version |
        | 1       |
        | 2       |
        | 3       |
        | 4       |
        | 5       |
        | 6       |
        | 7       |
        | 8       |
        | 9       |
        | 10      |

    @GC-6 @raw
    Scenario: A group that nobody has ever heard of
      Given a topic of 2 partitions
      Then partitions 0 to 1 read
        | partition | offset | error |
        | 0         | -1     | NONE  |
        | 1         | -1     | NONE  |
      And all that the group has committed is nothing

    @GC-6 @raw
    Scenario: A topic that does not exist
      Given a topic
      Then a topic that does not exist reads −1 without error

    @GC-6 @raw
    Scenario Outline: Everything that is committed, asked in version <version>
      Given a topic of 3 partitions
      And a topic of 2 partitions
      And a topic
      When the group commits in version 7
        | topic | partition | offset |
        | 1     | 2         | 7      |
        | 1     | 0         | 0      |
        | 2     | 1         | 41     |
      And another group commits offset 9 of each partition
      Then all that the group has committed, in version <version>, is
        | topic | partition | offset |
        | 1     | 0         | 0      |
        | 1     | 2         | 7      |
        | 2     | 1         | 41     |

      Examples:
        | version |
        | 2       |
        | 3       |
        | 4       |
        | 5       |
        | 6       |
        | 7       |
        | 8       |
        | 9       |
        | 10      |

    @GC-6 @raw
    Scenario Outline: What was committed in version <version> is read
      Given a topic of 2 partitions
      When the group commits in version <version>
        | topic | partition | offset              |
        | 1     | 0         | 0                   |
        | 1     | 1         | 9223372036854775806 |
      Then all that the group has committed is
        | topic | partition | offset              |
        | 1     | 0         | 0                   |
        | 1     | 1         | 9223372036854775806 |

      Examples:
        | version |
        | 0       |
        | 1       |
        | 2       |
        | 3       |
        | 4       |
        | 5       |
        | 6       |
        | 7       |
        | 8       |
        | 9       |
        | 10      |

    @GC-6 @raw
    Scenario: The last commit counts, backwards too
      Given a topic
      When the group commits offset 9 of the topic
      And the group commits offset 4 of the topic
      Then all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 4      |

    @GC-6 @raw
    Scenario: Several groups asked in one request
      Given a topic of 2 partitions
      When the group commits offset 9 of the topic
      And another group commits offset 3 of each partition
      Then one request for both groups reads 9 for the one, 3 for the other, and nothing for a third

    @GC-6 @raw
    Scenario: A reader that requires stable offsets is given them
      Given a topic
      When the group commits offset 9 of the topic
      Then a reader that requires stable offsets reads offset 9

    @GC-6 @raw
    Scenario: A request that commits what exists and what does not
      Given a topic
      Then committing partition 0 at offset 2, partition 7 and an unknown topic is answered for each, and only the first is committed

    @GC-6 @raw
    Scenario: A member's commit belongs to the group, not to the member
      Given a topic of 2 partitions
      And a group of "A" and "B"
      When "A" sends OffsetCommit
      Then the answer is NONE
      When "A" leaves
      Then all that the group has committed is
        | topic | partition | offset |
        | 1     | 0         | 3      |

  Rule: Commit metadata is stored and returned; over its limit it is refused

    @GC-8 @raw
    Scenario Outline: <what>
      Given a topic of 2 partitions
      When the group commits offset 5 with the metadata <metadata>
      Then the answer is NONE
      And the group's commit is offset 5 with the metadata <read>

      Examples:
        | what                           | metadata           | read               |
        | A text                         | "host-7 at noon"   | "host-7 at noon"   |
        | No characters                  | ""                 | ""                 |
        | None                           | null               | ""                 |
        | Other alphabets and signs      | "größe 倉庫 🦉"      | "größe 倉庫 🦉"      |
        | Signs that storage may use     | "a/b%2F\\"\\\\{}\\u0000\\n" | "a/b%2F\\"\\\\{}\\u0000\\n" |
        | As long as the limit           | as long as allowed | as long as allowed |

    @GC-8 @raw
    Scenario: Over its limit
      Given a topic of 2 partitions
      When the group commits offset 5 with the metadata "first"
      And the group commits offset 6 with the metadata one character too long
      Then the answer is OFFSET_METADATA_TOO_LARGE
      And the group's commit is offset 5 with the metadata "first"

    @GC-8 @raw
    Scenario: Over its limit for one partition of two
      Given a topic of 2 partitions
      Then committing partition 0 with metadata over the limit and partition 1 without is refused for the first only

    @GC-8 @raw
    Scenario: Each partition has its own, and a new commit replaces it
      Given a topic of 2 partitions
      When the group commits offset 5 with the metadata "first"
      And the group commits in version 7
        | topic | partition | offset | metadata |
        | 1     | 1         | 8      | other    |
      And the group commits offset 6 with the metadata ""
      Then all that the group has committed is
        | topic | partition | offset | metadata |
        | 1     | 0         | 6      |          |
        | 1     | 1         | 8      | other    |

    @GC-8 @raw @power-configure
    Scenario: Its limit is the administrator's
      Given a target of its own with "offsetMetadataMaxSize" set to "10"
      And a topic of 2 partitions
      When the group commits offset 5 with the metadata "0123456789"
      Then the answer is NONE
      When the group commits offset 6 with the metadata "0123456789a"
      Then the answer is OFFSET_METADATA_TOO_LARGE
      And the group's commit is offset 5 with the metadata "0123456789"
