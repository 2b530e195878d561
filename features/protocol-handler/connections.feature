Feature: Connections keep their order, and do not harm one another

  Rule: Responses on one connection keep the order of their requests, also with many in flight

    @PH-5 @raw
    Scenario: Thirty requests of several kinds in one write
      Given a topic
      When 30 requests of several kinds are sent in one write
      Then 30 answers come in the order of the requests

    @PH-5 @raw
    Scenario: A fetch that waits holds back what was sent after it
      Given a topic
      When a fetch that waits 300 ms and two requests for metadata are sent in one write
      Then 3 answers come in the order of the requests

    @PH-5 @PR-1 @raw
    Scenario: Batches in one write are stored in the order in which they were sent
      Given a topic
      When 12 batches of 2 records are sent in one write
      Then 12 answers come in the order of the requests
      And each is acknowledged after the one before, and the records are fetched in the order of sending

  Rule: A malformed or oversized frame ends that connection only, with a logged reason; other clients notice nothing, and nothing stored is harmed

    @PH-6 @raw
    Scenario Outline: Bad bytes: <what>
      Given a topic
      When a batch of 3 records is produced
      And a connection sends <what>
      Then that connection is closed by the other side
      And the connection of another client is open and answered
      And the topic holds 3 records
      And a batch of 2 records is produced
      And the batch was stored at offset 3

      Examples:
        | what                                     |
        | a frame of 2147483647 bytes              |
        | a frame of a negative length             |
        | a request of an API that does not exist  |
        | a request that is cut off in the middle  |
        | a request whose array has too many items |

    @PH-6 @raw @pulsar
    Scenario Outline: Bad bytes on the Pulsar port: <what>
      Given a topic
      When a Pulsar producer sends 3 random messages one by one
      And a connection to the Pulsar port sends <what>
      Then that connection is closed by the other side
      And a Pulsar reader receives all of it, once and in order

      Examples:
        | what                       |
        | a frame of 1073741824 bytes |
        | a command that is noise     |

  Rule: A client that stops reading cannot make the broker's memory grow without bound

    @PH-7 @raw
    Scenario: The broker stops taking requests whose answers nobody reads
      Given a topic
      When a batch of one record of 300000 bytes is produced
      And a connection asks for it again and again and reads nothing
      Then the broker stops taking its requests long before 64 MB of them
      And the topic holds 1 record

  Rule: An idle connection is closed after the configured time

    @PH-8 @raw @power-configure
    Scenario: A connection that says nothing
      Given a target of its own with "connectionMaxIdleMs" set to "500"
      When a connection is opened and says nothing
      Then that connection is closed by the other side
