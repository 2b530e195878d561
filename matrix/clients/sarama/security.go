package main

import (
	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// secure puts TLS and SASL into settings (matrix/driver/messages.ts, kafkaSecurity).
func secure(settings *sarama.Config, args arguments) error {
	if args.has("caPath") {
		config, err := tlsConfig(args.text("caPath"))
		if err != nil {
			return err
		}
		settings.Net.TLS.Enable, settings.Net.TLS.Config = true, config
	}
	if !args.has("sasl") {
		return nil
	}
	wanted := args.object("sasl")
	sasl := &settings.Net.SASL
	sasl.Enable = true
	// Before 1.43 the default is Kafka's first, in which a broker that refuses says nothing: it hangs up.
	sasl.Version = sarama.SASLHandshakeV1
	sasl.Mechanism = sarama.SASLMechanism(wanted.text("mechanism"))
	sasl.User, sasl.Password = wanted.text("username"), wanted.text("password")
	switch sasl.Mechanism {
	case sarama.SASLTypeSCRAMSHA256:
		sasl.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &conversation{hash: scram.SHA256} }
	case sarama.SASLTypeSCRAMSHA512:
		sasl.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &conversation{hash: scram.SHA512} }
	case sarama.SASLTypeOAuth:
		sasl.TokenProvider = givenToken{wanted.text("token"), wanted.textMap("extensions")}
	}
	return nil
}

// conversation is the side of SCRAM that sarama leaves to the application.
type conversation struct {
	*scram.ClientConversation
	hash scram.HashGeneratorFcn
}

func (talk *conversation) Begin(username, password, authorization string) error {
	client, err := talk.hash.NewClient(username, password, authorization)
	if err == nil {
		talk.ClientConversation = client.NewConversation()
	}
	return err
}

// givenToken hands the token to the library as it is: what it says of time is the broker's to judge.
type givenToken struct {
	token      string
	extensions map[string]string
}

func (given givenToken) Token() (*sarama.AccessToken, error) {
	return &sarama.AccessToken{Token: given.token, Extensions: given.extensions}, nil
}
