package omemo_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"palabre.dev/palabre/omemo"
)

// Two programs meet: one fetches the other's bundle, and both keep their state as they go.
func Example() {
	ctx, now := context.Background(), time.Now()
	shop, err := omemo.Create(ctx, omemo.NewMemoryStore(), "shop@example.org", nil, now)
	if err != nil {
		log.Fatal(err)
	}
	buyer, err := omemo.Create(ctx, omemo.NewMemoryStore(), "buyer@example.org", nil, now)
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := shop.Bundle(ctx, omemo.V03) // the shop publishes it, the buyer fetches it
	if err != nil {
		log.Fatal(err)
	}

	to := []omemo.Address{{JID: "shop@example.org", Device: shop.ID()}}
	missing, err := buyer.Missing(ctx, omemo.V03, to)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range missing {
		if err := buyer.Begin(ctx, a, bundle); err != nil {
			log.Fatal(err)
		}
	}
	message, skipped, err := buyer.Encrypt(ctx, omemo.V03, []byte("two loaves, please"), to)
	if err != nil {
		log.Fatal(err)
	}
	opened, err := shop.Decrypt(ctx, "buyer@example.org", message)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s (%s, skipped %d)\n", opened.Plaintext, opened.Trust, len(skipped))
	if opened.OwesReply { // and BundleChanged: publish the bundle again
		empty, err := shop.EncryptEmpty(ctx, omemo.V03, opened.Sender)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := buyer.Decrypt(ctx, "shop@example.org", empty); err != nil {
			log.Fatal(err)
		}
	}
	// Output: two loaves, please (blind, skipped 0)
}
