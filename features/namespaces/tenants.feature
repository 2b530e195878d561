Feature: Tenants share a cluster, and nothing else

  The document: "This means KoP users are able to leverage Pulsar's multi-tenancy … once you enabled authentication and
  authorization": a user named after a tenant and its namespace works there, whoever else uses the same names.

  Rule: A SASL user named `tenant/namespace` works in that namespace: the same short name used by two tenants is two topics

    @MT-4 @kafka @pulsar @raw @power-configure
    Scenario Outline: Written by Kafka, by users who log in by <mechanism>
      Given two tenants, each with a namespace and a user
      And clients log in by <mechanism>
      When each creates the topic of the same short name, the first with 1 partition, the second with 3
      And the first writes 3 records to it, and the second 5
      Then a Kafka client of each reads its own from offset 0 on, and nothing else
      And a Pulsar client of each reads its own in its own namespace, and nothing else
      And each is listed that topic alone, the first with 1 partition, the second with 3

      Examples:
        | mechanism              |
        | PLAIN                  |
        | SCRAM-SHA-256          |
        | SCRAM-SHA-512          |
        | OAUTHBEARER            |
        | PLAIN over TLS         |
        | SCRAM-SHA-256 over TLS |
        | SCRAM-SHA-512 over TLS |
        | OAUTHBEARER over TLS   |

    @MT-4 @kafka @pulsar @raw @power-configure
    Scenario: Written by Pulsar
      Given two tenants, each with a namespace and a user
      When each creates the topic of the same short name, the first with 1 partition, the second with 3
      And a Pulsar client of each writes 4 messages of its own to it
      Then a Kafka client of each reads its own from offset 0 on, and nothing else

    @MT-4 @kafka @raw @power-configure
    Scenario: Deleting one's own topic leaves the other's
      Given two tenants, each with a namespace and a user
      When each creates the topic of the same short name, the first with 1 partition, the second with 1
      And the first writes 3 records to it, and the second 5
      And the first deletes its topic
      Then the second still reads its own from offset 0 on, and nothing else

    @MT-4 @MT-3 @kafka @raw @power-configure
    Scenario Outline: A user's own topic by its full name in the form <form>
      Given a tenant with a namespace and a user
      And the target offers full names
      When it creates a topic and writes 3 records to it
      Then it reads the same by the full name <form>

      Examples:
        | form                                |
        | tenant/namespace/topic              |
        | persistent://tenant/namespace/topic |

    @MT-4 @kafka @raw @power-configure
    Scenario: Groups of one name read and commit each for itself
      Given two tenants, each with a namespace and a user
      When each creates the topic of the same short name, the first with 1 partition, the second with 1
      And the first writes 6 records to it, and the second 6
      And a group of the same name reads 2 records at the first, and 5 at the second
      Then the group has committed offset 2 at the first, and 5 at the second

    @MT-4 @kafka-admin @raw @power-configure
    Scenario: Groups of one name are managed each for itself
      Given two tenants, each with a namespace and a user
      When a group of the same name commits offset 2 at the first, and 5 at the second
      Then Kafka's tool lists that group alone to each of them
      When Kafka's tool deletes the group of the first
      Then the group of the first is gone, and that of the second is as it was

    @MT-4 @kafka @kafka-admin @raw @power-configure
    Scenario: Kafka's tool changes a user's password
      Given a tenant with a namespace and a user
      When it creates a topic and writes 1 records to it
      And Kafka's tool gives the user a new password for SCRAM-SHA-512
      Then a client logs in by SCRAM-SHA-512 with the new password, and works in the user's namespace
      And with the old one it is refused
