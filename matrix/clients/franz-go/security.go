package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// security are the options of TLS and SASL (matrix/driver/messages.ts, kafkaSecurity).
func security(args arguments) ([]kgo.Opt, error) {
	options := []kgo.Opt{}
	if args.has("caPath") {
		config, err := tlsConfig(args.text("caPath"))
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.DialTLSConfig(config))
	}
	if args.has("sasl") {
		options = append(options, kgo.SASL(mechanismOf(args.object("sasl"))))
	}
	return options, nil
}

func mechanismOf(args arguments) sasl.Mechanism {
	username, password := args.text("username"), args.text("password")
	switch args.text("mechanism") {
	case "PLAIN":
		return plain.Auth{User: username, Pass: password}.AsMechanism()
	case "SCRAM-SHA-256":
		return scram.Auth{User: username, Pass: password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: username, Pass: password}.AsSha512Mechanism()
	}
	// As it is: what the token says of time is the broker's to judge.
	return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
		return oauth.Auth{Token: args.text("token"), Extensions: args.textMap("extensions")}, nil
	})
}
