package bank

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 as every authenticator app does it; HMAC does not need a hash without collisions.
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"
)

// TOTP are codes of six digits that change every 30 seconds (RFC 6238), as authenticator apps show them. Those of the step before and after are taken too.
type TOTP struct {
	// Secret is a customer's, of at least 16 bytes; nil for who has none.
	Secret func(ctx context.Context, customer string) ([]byte, error)
}

const totpStep = 30 * time.Second

// Check implements Codes.
func (t TOTP) Check(ctx context.Context, customer, code string, now time.Time) (int64, bool, error) {
	secret, err := t.Secret(ctx, customer)
	if err != nil || len(secret) < 16 {
		return 0, false, err
	}
	step := now.Unix() / int64(totpStep/time.Second)
	for _, s := range []int64{step, step - 1, step + 1} {
		if subtle.ConstantTimeCompare([]byte(totp(secret, s)), []byte(code)) == 1 {
			return s, true, nil
		}
	}
	return 0, false, nil
}

// totp is the code of one step (RFC 4226 §5.3).
func totp(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}
