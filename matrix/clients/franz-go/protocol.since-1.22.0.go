package main

import "github.com/twmb/franz-go/pkg/kgo"

// The broker's side chooses the assignor by the client's balancer: `uniform` for the sticky one.
func serverSide() ([]kgo.Opt, error) {
	return []kgo.Opt{kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer())}, nil
}
