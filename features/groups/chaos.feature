Feature: A group under chaos

  The small form of `npm run chaos`; what each sentence means exactly stands in matrix/chaos/README.md.

  Rule: A member that leaves or dies has its partitions taken over, and nothing is skipped

    @GC-2 @kafka @raw @slow
    Scenario: Members come and go at random while records flow
      When 1000 records flow for 5 s to 16 partitions, and to members in 2 processes that die, hang, leave and come
      Then each record was processed, and before it was committed
      And no committed offset went back
      And every rebalance ended
      And no partition had two owners in a generation

  Rule: Committed offsets survive member, coordinator and broker restart

    @GC-3 @kafka @raw @power-kill @slow
    Scenario: Members come and go at random, and their coordinator dies twice
      Given a target of its own
      When 1000 records flow for 7 s to 16 partitions, and to members in 2 processes that die, hang, leave and come, and the coordinator dies 2 times
      Then each record was processed, and before it was committed
      And no committed offset went back
      And every rebalance ended
      And no partition had two owners in a generation
