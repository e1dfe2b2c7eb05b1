package client

import "palabre.dev/palabre/xmpp"

const (
	nsReceipts = "urn:xmpp:receipts"       // XEP-0184
	nsMarkers  = "urn:xmpp:chat-markers:0" // XEP-0333
)

// AskReceipt makes a message ask for a delivery receipt and for displayed markers. It needs an id.
func AskReceipt(st *xmpp.Stanza) *xmpp.Stanza {
	return st.Add(xmpp.NewElement(nsReceipts, "request"), xmpp.NewElement(nsMarkers, "markable"))
}

// ReceiptFor is the delivery receipt for a message, nil if it asks for none (XEP-0184 §5.4). Send it once the message is kept.
func ReceiptFor(st *xmpp.Stanza) *xmpp.Stanza {
	if st.ID == "" || st.IsError() || st.Child(nsReceipts, "request") == nil {
		return nil
	}
	return answerTo(st, xmpp.NewElement(nsReceipts, "received").Set("id", st.ID))
}

// DisplayedFor is the marker that a person has seen a message, nil if it asks for none (XEP-0333 §4).
func DisplayedFor(st *xmpp.Stanza) *xmpp.Stanza {
	if st.ID == "" || st.IsError() || st.Child(nsMarkers, "markable") == nil {
		return nil
	}
	return answerTo(st, xmpp.NewElement(nsMarkers, "displayed").Set("id", st.ID))
}

func answerTo(st *xmpp.Stanza, e *xmpp.Element) *xmpp.Stanza {
	out := &xmpp.Stanza{Kind: xmpp.Message, Type: st.Type, To: st.From}
	return out.Add(e, xmpp.NewElement(xmpp.NSHints, "store"))
}

// Receipts are the ids of messages that a message says have been received and displayed, "" if it says neither.
func Receipts(st *xmpp.Stanza) (received, displayed string) {
	return st.Child(nsReceipts, "received").Attr("id"), st.Child(nsMarkers, "displayed").Attr("id")
}
