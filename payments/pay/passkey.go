package pay

import "palabre.dev/palabre/payments/intent"

// verifyPasskey checks that a passkey has signed a text, with its user verified.
func (s *Service) verifyPasskey(k *key, text string, sig signature) error {
	p := intent.Passkey{Point: k.public, RelyingParty: s.cfg.RelyingParty, Origins: s.cfg.Origins}
	if p.RelyingParty == "" {
		p.RelyingParty = s.cfg.Accounts
	}
	if len(p.Origins) == 0 {
		p.Origins = []string{"https://" + s.cfg.Accounts}
	}
	if p.Verify(text, sig.authenticator, sig.client, sig.value) != nil {
		return badSignature()
	}
	return nil
}
