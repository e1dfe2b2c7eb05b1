package client

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"palabre.dev/palabre/xmpp"
)

// Namespaces of what a client answers.
const (
	nsDiscoInfo  = "http://jabber.org/protocol/disco#info"  // XEP-0030
	nsDiscoItems = "http://jabber.org/protocol/disco#items" // XEP-0030
	nsCaps       = "http://jabber.org/protocol/caps"        // XEP-0115
	nsVersion    = "jabber:iq:version"                      // XEP-0092
)

// capsNode names this software in entity capabilities.
const capsNode = "https://palabre.dev/client"

// payload names the child of a request.
type payload struct{ space, local string }

// IQHandler answers a request with the payload of the result, nil for an empty one. An *xmpp.Error is told to the asker; any other
// error as internal-server-error.
type IQHandler func(ctx context.Context, request *xmpp.Stanza) (*xmpp.Element, error)

// HandleIQ sets who answers requests with this payload. Call it before Connect, and list the feature in Config.Features.
func (c *Client) HandleIQ(space, local string, handler IQHandler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handlers == nil {
		c.handlers = map[payload]IQHandler{}
	}
	c.handlers[payload{space, local}] = handler
}

// serve answers a request (RFC 6120 §8.2.3: every one).
func (c *Client) serve(ctx context.Context, request *xmpp.Stanza) {
	answer := c.answerTo(ctx, request)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream != nil { // an answer that cannot be sent is one that nobody waits for any more
		c.put(&outgoing{stanza: answer, bytes: answer.Append(nil)})
		c.flush()
	}
}

func (c *Client) answerTo(ctx context.Context, request *xmpp.Stanza) *xmpp.Stanza {
	result, err := c.result(ctx, request)
	var refusal *xmpp.Error
	switch {
	case err == nil:
		return reply(request.Reply(result))
	case !errors.As(err, &refusal):
		c.log.Warn("request failed", "err", err)
		refusal = xmpp.InternalServerError
	}
	return reply(request.ErrorReply(refusal))
}

// reply leaves the sender to the server.
func reply(st *xmpp.Stanza) *xmpp.Stanza {
	st.From = xmpp.JID{}
	return st
}

func (c *Client) result(ctx context.Context, request *xmpp.Stanza) (*xmpp.Element, error) {
	e := request.First()
	if e == nil {
		return nil, xmpp.BadRequest
	}
	c.mu.Lock()
	handler := c.handlers[payload{e.Space, e.Local}]
	c.mu.Unlock()
	switch {
	case handler != nil:
		return handler(ctx, request)
	case request.Type == "set" && e.Is(nsRoster, "query"):
		return c.rosterPush(request)
	case request.Type == "get" && e.Is(nsPing, "ping"):
		return nil, nil
	case request.Type == "get" && e.Is(nsDiscoInfo, "query"):
		return c.info(e)
	case request.Type == "get" && e.Is(nsDiscoItems, "query"):
		return xmpp.NewElement(nsDiscoItems, "query"), nil
	case request.Type == "get" && e.Is(nsVersion, "query"):
		return xmpp.NewElement(nsVersion, "query", xmpp.NewText(nsVersion, "name", c.cfg.Name)), nil
	}
	return nil, xmpp.ServiceUnavailable
}

// info answers disco#info, for the client itself or the node of its capabilities.
func (c *Client) info(query *xmpp.Element) (*xmpp.Element, error) {
	node := query.Attr("node")
	if node != "" && node != capsNode+"#"+c.verification() {
		return nil, xmpp.ItemNotFound
	}
	out := xmpp.NewElement(nsDiscoInfo, "query")
	if node != "" {
		out.Set("node", node)
	}
	category, kind, _ := strings.Cut(c.cfg.Category, "/")
	out.Add(xmpp.NewElement(nsDiscoInfo, "identity").Set("category", category).Set("type", kind).Set("name", c.cfg.Name))
	for _, feature := range c.features() {
		out.Add(xmpp.NewElement(nsDiscoInfo, "feature").Set("var", feature))
	}
	return out, nil
}

// features are sorted, each once.
func (c *Client) features() []string {
	all := append([]string{nsDiscoInfo, nsCaps, nsPing, nsVersion}, c.cfg.Features...)
	slices.Sort(all)
	return slices.Compact(all)
}

// verification is the ver of XEP-0115 §5.1.
func (c *Client) verification() string {
	category, kind, _ := strings.Cut(c.cfg.Category, "/")
	text := category + "/" + kind + "//" + c.cfg.Name + "<"
	for _, feature := range c.features() {
		text += feature + "<"
	}
	sum := sha1.Sum([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// caps is what goes into presence (XEP-0115 §4).
func (c *Client) caps() *xmpp.Element {
	return xmpp.NewElement(nsCaps, "c").Set("hash", "sha-1").Set("node", capsNode).Set("ver", c.verification())
}
