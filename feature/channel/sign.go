package channel

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// KeysNode is the node at which an account publishes the keys that it signs with, and the namespace of what is in it (docs/protocol/channels.md).
const KeysNode = "urn:palabre:signing-keys:0"

// Keys knows what accounts publish.
type Keys interface {
	// Item is the payload of an item of an account's node, nil if it is not there.
	Item(ctx context.Context, account *core.Account, node, id string) (*xmpp.Element, error)
}

// Signed are the bytes that the signature of a post is for: the address of the channel, the id of the item, and all of the entry but its signature, written in
// one way only (docs/protocol/channels.md, "Signatures").
func Signed(channel, item string, entry *xmpp.Element) []byte {
	b := []byte(NS + "#signed\n")
	b = appendNet(appendNet(b, channel), item)
	return appendCanonical(b, entry, true)
}

// appendNet writes a text with its length in bytes before it.
func appendNet(b []byte, text string) []byte {
	b = append(strconv.AppendInt(b, int64(len(text)), 10), ':')
	return append(append(b, text...), ',')
}

func appendCanonical(b []byte, e *xmpp.Element, top bool) []byte {
	b = appendNet(appendNet(append(b, '('), e.Space), e.Local)
	attrs := slices.Clone(e.Attrs)
	slices.SortFunc(attrs, func(x, y xmpp.Attr) int { return cmp.Or(cmp.Compare(x.Space, y.Space), cmp.Compare(x.Local, y.Local)) })
	for _, a := range attrs {
		b = appendNet(appendNet(appendNet(append(b, '@'), a.Space), a.Local), a.Value)
	}
	text := ""
	flush := func() {
		if text != "" {
			b = appendNet(append(b, 't'), text)
		}
		text = ""
	}
	for _, node := range e.Nodes {
		switch {
		case node.Element == nil:
			text += node.Text
		case top && node.Element.Is(NS, "signature"):
		default:
			flush()
			b = appendCanonical(b, node.Element, false)
		}
	}
	flush()
	return append(b, ')')
}

// checkSignature refuses a signature that cannot be right. One by a key that its author has not published, or publishes elsewhere, is passed on: whoever reads
// it decides.
func (cs *Channels) checkSignature(ctx context.Context, c *channel, p *post, entry *xmpp.Element, by *core.Account) error {
	var found *xmpp.Element
	for child := range entry.Children() {
		if !child.Is(NS, "signature") {
			continue
		}
		if found != nil {
			return fault.InvalidPayload.Because("a post has one signature")
		}
		found = child
	}
	if found == nil {
		return nil
	}
	signature, err := base64.StdEncoding.DecodeString(found.Text())
	if err != nil || len(signature) != ed25519.SignatureSize || !p.named {
		return fault.InvalidPayload.Because("a signature is of %d bytes in base64, and the post has an id", ed25519.SignatureSize)
	}
	signer, err := xmpp.ParseJID(found.Attr("by"))
	if err != nil || signer != by.JID || len(found.Attr("key")) != fingerprintLen {
		return fault.InvalidPayload.Because("a signature names its author, who publishes it, and a key")
	}
	if cs.keys == nil {
		return nil
	}
	key, err := cs.keys.Item(ctx, by, KeysNode, found.Attr("key"))
	if err != nil {
		return err
	}
	if key == nil {
		return nil
	}
	public, err := base64.StdEncoding.DecodeString(key.Text())
	if err != nil || len(public) != ed25519.PublicKeySize {
		return nil
	}
	address, err := xmpp.NewJID(c.name, cs.domain.Domain(), "")
	if err != nil {
		return err
	}
	if !ed25519.Verify(public, Signed(address.String(), p.item, entry), signature) {
		return xmpp.BadRequest.Because("the signature does not fit")
	}
	return nil
}

// fingerprintLen is the length of a key's SHA-256 in base64 for addresses, without padding.
const fingerprintLen = 43
