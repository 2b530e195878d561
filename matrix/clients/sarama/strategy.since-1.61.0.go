package main

import "github.com/IBM/sarama"

func strategyOf(assignor string) (sarama.BalanceStrategy, error) {
	switch assignor {
	case "range":
		return sarama.NewBalanceStrategyRange(), nil
	case "roundrobin":
		return sarama.NewBalanceStrategyRoundRobin(), nil
	case "sticky":
		return sarama.NewBalanceStrategySticky(), nil
	}
	if assignor == "cooperative-sticky" {
		return sarama.NewBalanceStrategyCooperativeSticky(), nil
	}
	return nil, unsupported("this sarama has no " + assignor + " balance strategy")
}
