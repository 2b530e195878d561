Feature: Whoever cannot show who they are is refused, at once and in the protocol's own words

  Rule: An unknown tenant or namespace, or a wrong credential, is refused with the protocol's own error, not with a hang

    @MT-6 @kafka @raw
    Scenario Outline: A client logs in by <mechanism> with <what>
      Given a user with a password
      When a client logs in by <mechanism> as that user with its own password
      Then it is let in
      When a client logs in by <mechanism> as that user with <what>
      Then it is refused with SASL_AUTHENTICATION_FAILED within seconds
      And the client that was let in goes on

      Examples:
        | mechanism     | what                             |
        | SCRAM-SHA-256 | another password                 |
        | SCRAM-SHA-256 | its password but the last letter |
        | SCRAM-SHA-256 | its password and one letter more |
        | SCRAM-SHA-512 | another password                 |
        | SCRAM-SHA-512 | its password but the last letter |
        | SCRAM-SHA-512 | another user's password          |

    @MT-6 @kafka @raw
    Scenario Outline: A client logs in by <mechanism> as a user who is not there
      Given a user with a password
      When a client logs in by <mechanism> as another user with its own password
      Then it is refused with SASL_AUTHENTICATION_FAILED within seconds

      Examples:
        | mechanism     |
        | SCRAM-SHA-256 |
        | SCRAM-SHA-512 |

    @MT-6 @raw
    Scenario Outline: <mechanism>, message by message, with <what>
      Given a user with a password
      When the user's name and <what> are sent by <mechanism>
      Then the log-in is refused with SASL_AUTHENTICATION_FAILED, and the connection ends
      And the right password is still taken

      Examples:
        | mechanism     | what                             |
        | SCRAM-SHA-256 | its password but the last letter |
        | SCRAM-SHA-256 | its password and one letter more |
        | SCRAM-SHA-256 | its password in capitals         |
        | SCRAM-SHA-256 | an empty password                |
        | SCRAM-SHA-512 | the first letter of its password |
        | SCRAM-SHA-512 | another user's password          |
        | SCRAM-SHA-512 | an empty password                |

    @MT-6 @raw
    Scenario: A mechanism that nobody knows
      Given a user with a password
      When a client names the mechanism "NONSENSE"
      Then the log-in is refused with UNSUPPORTED_SASL_MECHANISM, and the connection ends
      And the right password is still taken

    @MT-6 @raw
    Scenario Outline: <what> in place of a log-in
      Given a user with a password
      When a client sends <what> in place of its log-in
      Then the log-in is refused, and the connection ends
      And the right password is still taken

      Examples:
        | what                                |
        | random bytes as a SCRAM message     |
        | an empty SCRAM message              |
        | a SCRAM message of another form     |
        | its last SCRAM message first        |
        | a proof of the right form but wrong |
        | a nonce that was changed            |

    @MT-6 @raw
    Scenario Outline: <api> before the log-in
      Given a user with a password
      When a client that has not logged in asks <api>
      Then the connection ends without an answer
      And the right password is still taken

      Examples:
        | api         |
        | Metadata    |
        | ListGroups  |
        | ListOffsets |

    @MT-6 @kafka @raw @power-configure
    Scenario Outline: A client logs in by <mechanism> for its tenant with <what>
      Given a tenant with a namespace and a user
      When its client logs in by <mechanism> with <what>
      Then it is refused within seconds, by SASL_AUTHENTICATION_FAILED or as its library tells it

      Examples:
        | mechanism   | what                                        |
        | PLAIN       | a token that has expired                    |
        | PLAIN       | a token signed by another key               |
        | PLAIN       | its token and an unknown tenant             |
        | PLAIN       | its token and an unknown namespace          |
        | OAUTHBEARER | a token that has expired                    |
        | OAUTHBEARER | a token signed by another key               |

    @MT-6 @raw @power-configure
    Scenario Outline: <mechanism> for a tenant, message by message, with <what>
      Given a tenant with a namespace and a user
      When its user logs in by <mechanism> with <what>
      Then the log-in is refused with SASL_AUTHENTICATION_FAILED, and the connection ends
      And the user's token is still taken

      Examples:
        | mechanism   | what                                             |
        | PLAIN       | a token that has expired                         |
        | PLAIN       | a token signed by another key                    |
        | PLAIN       | a token without a signature                      |
        | PLAIN       | a token with its signature cut off               |
        | PLAIN       | a token of another role under its old signature  |
        | PLAIN       | a token with more behind it                      |
        | PLAIN       | a token that is no token                         |
        | PLAIN       | its token and an unknown tenant                  |
        | PLAIN       | its token and an unknown namespace               |
        | PLAIN       | an empty token                                   |
        | PLAIN       | an empty password                                |
        | PLAIN       | its password but the last letter                 |
        | PLAIN       | its password and one letter more                 |
        | PLAIN       | the token alone, without "token:"                |
        | OAUTHBEARER | a token that has expired                         |
        | OAUTHBEARER | a token signed by another key                    |
        | OAUTHBEARER | a token without a signature                      |
        | OAUTHBEARER | a token with its signature cut off               |
        | OAUTHBEARER | a token of another role under its old signature  |
        | OAUTHBEARER | its token and an unknown namespace               |

    @MT-6 @pulsar @raw @power-configure
    Scenario Outline: A Pulsar client shows a token <how>
      Given a tenant with a namespace and a user
      When its Pulsar client shows a token <how>
      Then it is refused within seconds, as its library tells it
      And a Pulsar client with the right token is let in

      Examples:
        | how                                     |
        | that has expired                        |
        | signed by another key                   |
        | without a signature                     |
        | of another role under its old signature |
        | that is no token                        |

    @MT-6 @pulsar @raw @power-configure
    Scenario: A Pulsar client shows nothing
      Given a tenant with a namespace and a user
      When its Pulsar client shows no token
      Then it is refused within seconds, as its library tells it
      And a Pulsar client with the right token is let in

    @MT-6 @pulsar-admin @raw @power-configure
    Scenario Outline: Pulsar's tool shows a token <how>
      Given a tenant with a namespace and a user
      When Pulsar's tool shows a token <how>
      Then it is refused with 401
      And Pulsar's tool with the right token is let in

      Examples:
        | how                   |
        | that has expired      |
        | signed by another key |

    @MT-6 @raw @power-configure
    Scenario Outline: The admin REST is shown a token <how>, in the clear and over TLS
      Given a tenant with a namespace and a user
      When the admin REST is shown a token <how>
      Then it answers 401 to it, and 200 to the right one

      Examples:
        | how                                     |
        | that has expired                        |
        | signed by another key                   |
        | without a signature                     |
        | with its signature cut off              |
        | of another role under its old signature |
        | with more behind it                     |
        | that is no token                        |

    @MT-6 @pulsar @raw @power-configure
    Scenario: What is secret is in no log of the target
      Given a tenant with a namespace and a user, on a target that logs all that it can
      When its user logs in in every way, rightly and wrongly
      Then the target's log holds no password, no token and no key

  Rule: A tenant sees, reads, writes, lists and deletes nothing of another tenant's, nor its groups

    @MT-5 @kafka @raw @power-configure
    Scenario: A Kafka client may do what its user is granted, from then on and as long
      Given a tenant with a namespace and a user without rights
      And a topic of the tenant's administrator
      Then the user's Kafka client may neither write nor read
      When the user is granted produce
      Then the user's Kafka client may write, and not read
      When the user is granted consume
      Then the user's Kafka client may read, and not write
      When the user's rights are revoked
      Then the user's Kafka client may neither write nor read

    @MT-5 @pulsar @raw @power-configure
    Scenario: A Pulsar client may do what its user is granted, from then on and as long
      Given a tenant with a namespace and a user without rights
      And a topic of the tenant's administrator
      Then the user's Pulsar client may neither write nor read
      When the user is granted produce
      Then the user's Pulsar client may write, and not read
      When the user is granted consume
      Then the user's Pulsar client may read, and not write
      When the user's rights are revoked
      Then the user's Pulsar client may neither write nor read

    @MT-5 @raw @power-configure
    Scenario: Rights that are revoked are gone on connections that are open
      Given a tenant with a namespace and a user without rights
      And a topic of the tenant's administrator
      When the user is granted produce
      Then an open connection of the user's writes
      When the user's rights are revoked
      Then the open connection is answered TOPIC_AUTHORIZATION_FAILED as it writes, and nothing is stored

    @MT-5 @kafka @pulsar-admin @raw @power-configure
    Scenario: Pulsar's tool grants and revokes what a Kafka client may do
      Given a tenant with a namespace and a user without rights
      And a topic of the tenant's administrator
      When Pulsar's tool grants the user produce
      Then the user's Kafka client may write, and not read
      When Pulsar's tool revokes the user's rights
      Then the user's Kafka client may neither write nor read
