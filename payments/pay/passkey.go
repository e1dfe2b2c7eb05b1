package pay

// verifyPasskey checks that a passkey has signed a text, with its user verified.
func (s *Service) verifyPasskey(*key, string, signature) error { return badSignature() }
