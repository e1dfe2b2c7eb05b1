package omemo

import "fmt"

// X3DH, the agreement on a first secret with a device that need not be online (X3DH §3, XEP-0384 §4.2).

// secretSources are the four Diffie-Hellman results in the order in which they are hashed.
type secretSources [4]struct{ private, public key }

// initiatorSecret is the root key on the side that begins.
func (p *profile) initiatorSecret(local keyPair, ephemeral keyPair, identity publicIdentity, signedPreKey, preKey key) (key, error) {
	return p.sharedSecret(secretSources{
		{local.private, signedPreKey},
		{ephemeral.private, identity.curve},
		{ephemeral.private, signedPreKey},
		{ephemeral.private, preKey},
	})
}

// responderSecret is the same root key on the side that was offline.
func (p *profile) responderSecret(local keyPair, signedPreKey, preKey key, identity publicIdentity, baseKey key) (key, error) {
	return p.sharedSecret(secretSources{
		{signedPreKey, identity.curve},
		{local.private, baseKey},
		{signedPreKey, baseKey},
		{preKey, baseKey},
	})
}

// sharedSecret hashes the agreements. OMEMO 0.3 derives 64 bytes, the second half being a chain that no message ever uses,
// because whoever answers has already turned the ratchet; the first half is the same for any length.
func (p *profile) sharedSecret(sources secretSources) (root key, err error) {
	material := make([]byte, 0, 32*(len(sources)+1))
	for range 32 {
		material = append(material, 0xff)
	}
	for _, s := range sources {
		secret, err := agree(s.private, s.public)
		if err != nil {
			return root, err
		}
		material = append(material, secret...)
	}
	out, err := derive(material, zeroSalt, p.infoAgreement, 32)
	if err != nil {
		return root, fmt.Errorf("key agreement: %w", err)
	}
	return key(out), nil
}
