package sasl_test

import (
	"fmt"

	"palabre.dev/palabre/xmpp/sasl"
)

// A door offers what the connection allows, runs the exchange that the client chose, and learns who it is.
func Example() {
	credential, err := sasl.NewCredential(sasl.SHA256, "correct horse", sasl.DefaultIterations)
	if err != nil {
		fmt.Println(err)
		return
	}
	var bindings sasl.Bindings // sasl.TLSBindings on a real connection
	offer := sasl.NewOffer([]string{sasl.ScramSHA256Plus, sasl.ScramSHA256, sasl.Plain}, bindings, true)

	server, err := sasl.NewServer(sasl.ScramSHA256, &sasl.ServerConfig{
		Offer: offer, Bindings: bindings, Encrypted: true,
		Secret: []byte("at least 16 bytes, kept in the database"),
		Lookup: func(username string) ([]sasl.Credential, error) {
			if username != "juliet" {
				return nil, sasl.ErrUnknownUser
			}
			return []sasl.Credential{credential}, nil
		},
	})
	if err != nil {
		fmt.Println(sasl.ConditionOf(err))
		return
	}
	client, err := sasl.NewClient(sasl.ScramSHA256, sasl.ClientConfig{
		Username: "juliet", Password: "correct horse", Offer: offer, Bindings: bindings,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	var challenge []byte
	for done := false; !done; {
		response, _, err := client.Step(challenge) // <auth/>, then <response/>
		if err != nil {
			fmt.Println(err)
			return
		}
		if challenge, done, err = server.Step(response); err != nil { // <challenge/>, then <success/>
			fmt.Println(sasl.ConditionOf(err))
			return
		}
	}
	fmt.Println(server.Username(), client.Finish(challenge))
	// Output: juliet <nil>
}
