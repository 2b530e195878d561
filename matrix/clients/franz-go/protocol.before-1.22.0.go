package main

import "github.com/twmb/franz-go/pkg/kgo"

// The first releases of KIP-848 (1.19) have it behind a key that is not part of the library's interface.
func serverSide() ([]kgo.Opt, error) {
	return nil, unsupported("franz-go before 1.22 has no option for the consumer group protocol (kgo.ServerSideBalancer)")
}
