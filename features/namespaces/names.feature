Feature: Kafka's flat names live in Pulsar's tenants and namespaces

  The document: "In Kafka, all topics are stored in one flat namespace. But in Pulsar, topics are organized in
  hierarchical multi-tenant namespaces. KoP introduces a setting kafkaNamespace in the broker configuration, which
  allows the administrator to map Kafka topics to Pulsar topics."

  Rule: A short Kafka topic name lands in the tenant and namespace that `kafkaNamespace` (and `kafkaTenant`) name; changing the setting changes where it lands

    @MT-1 @kafka @pulsar
    Scenario: A short name is found by Pulsar in the configured namespace
      Given a topic
      When a Kafka producer sends 3 random records one by one
      Then a Pulsar reader receives all of it, once and in order

    @MT-1 @kafka @pulsar @power-configure
    Scenario Outline: Changing the setting changes where it lands: <namespace>
      Given a target of its own with
        | kafkaTenant    | <tenant>    |
        | kafkaNamespace | <namespace> |
      And a topic
      When a Kafka producer sends 3 random records one by one
      Then a Pulsar reader receives all of it, once and in order
      And Pulsar finds nothing of that name in the default namespace

      Examples:
        | tenant | namespace    |
        | public | elsewhere    |
        | retail | orders       |

  Rule: Full names as Kafka topic names: where offered, `tenant/ns/topic` and `persistent://tenant/ns/topic` name the same topic from Kafka as from Pulsar

    @MT-2 @kafka @pulsar
    Scenario Outline: The form <form>
      Given a topic that Kafka calls by its full name in the form <form>
      When a Kafka producer sends 3 random records one by one
      And a Pulsar producer sends 2 random messages one by one
      Then a Kafka consumer receives all of it, once and in order
      And a Pulsar reader receives all of it, once and in order

      Examples:
        | form                              |
        | tenant/namespace/topic            |
        | persistent://tenant/namespace/topic |

  Rule: Where full names are offered, the short and the full name of one topic share data, offsets and group commits

    @MT-3 @kafka
    Scenario: What is written by the short name is read by the full name, under the same offsets
      Given a topic
      And the target offers full names
      When a Kafka producer sends 4 random records in one batch
      Then reading by the full name gives the same records under the same offsets

    @MT-3 @kafka
    Scenario: What a group commits by the short name holds for the full name
      Given a topic
      And the target offers full names
      When a Kafka producer sends 6 random records in one batch
      Then a consumer of a new group reads exactly the first 4 of them
      And the group has committed offset 4 by the full name

  Rule: Names that Kafka forbids (empty, `.`, `..`, over 249 characters, other characters, offered full names aside) are refused with INVALID_TOPIC_EXCEPTION

    @MT-7 @raw
    Scenario Outline: Creating a topic whose name is <what>
      When a topic named <name> is created
      Then the answer is INVALID_TOPIC_EXCEPTION
      And no topic of that name is listed

      Examples:
        | what                    | name                |
        | empty                   | ""                  |
        | one dot                 | "."                 |
        | two dots                | ".."                |
        | 250 characters long     | "x" 250 times       |
        | broken by a space       | "a b"               |
        | of another alphabet     | "größe"             |
        | marked by a hash        | "a#b"               |

    @MT-7 @raw
    Scenario: The longest name that is allowed works
      When a topic named "x" 249 times is created
      Then the answer is NONE

    @MT-7 @raw
    Scenario: Asking for metadata of a forbidden name, with creation allowed
      When metadata of "a b" is asked with creation allowed
      Then the answer is INVALID_TOPIC_EXCEPTION
      And no topic of that name is listed

  Rule: `foo-partition-0` used as a Kafka topic never silently aliases partition 0 of `foo`

    @MT-8 @raw
    Scenario: A name that looks like a partition
      Given a topic
      When a batch of 2 records is produced
      And a topic of the name of its partition 0 is created and written to
      Then what happens is what the target declares
      And the topic holds 2 records
