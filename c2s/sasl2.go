package c2s

import (
	"errors"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// succeed2 ends a login by SASL2 (XEP-0388 §2.6.1): resumption comes before binding (XEP-0386 §3.2), and all answers travel in the one
// <success/>, with the features behind it.
func (c *connection) succeed2(account *core.Account, data []byte) error {
	x := c.exchange
	fresh, err := c.tokenFor(account, x)
	if err != nil {
		return c.failLogin(err)
	}
	c.account, c.exchange = account, nil
	c.counted(x, "ok")
	if x.request.Child(nsBind2, "bind") == nil || x.request.Child(nsSM, "resume") != nil { // otherwise bind looks, when there is a session to end
		if err := c.stillOpen(); err != nil {
			return err
		}
	}
	success := xmpp.NewElement(nsSASL2, "success")
	if len(data) > 0 {
		success.Add(xmpp.NewText(nsSASL2, "additional-data", encode(data)))
	}
	s, answer, resumed, err := c.inline(x.request)
	if err != nil {
		return err
	}
	name := account.JID
	if s != nil {
		name = s.core.JID
	}
	success.Add(xmpp.NewText(nsSASL2, "authorization-identifier", name.String())).Add(answer...).Add(fresh)
	if s == nil {
		return c.write(c.stream.Element(success), c.stream.Element(c.featuresElement()))
	}
	return c.startInline(s, success, resumed)
}

// startInline lets the session begin with the answer to the login. WebSocket wants the features in a frame of their own.
func (c *connection) startInline(s *session, success *xmpp.Element, resumed bool) error {
	first := c.stream.Element(success)
	c.session = s
	if resumed {
		return s.goOn(c, first, c.stream.Element(resumedFeatures()))
	}
	features := c.stream.Element(c.featuresElement())
	c.begun()
	return s.attach(c, first, features)
}

// inline does what the client asked for beside the login.
func (c *connection) inline(request *xmpp.Element) (s *session, answer []*xmpp.Element, resumed bool, err error) {
	if resume := request.Child(nsSM, "resume"); resume != nil {
		s, failed, err := c.wake(resume)
		if err != nil {
			return nil, nil, false, err
		}
		if s != nil {
			return s, []*xmpp.Element{s.resumed()}, true, nil
		}
		answer = append(answer, failed)
	}
	bind := request.Child(nsBind2, "bind")
	if bind == nil {
		return nil, answer, false, nil
	}
	s, bound, err := c.bind2(c.door.life, bind)
	if told, ok := errors.AsType[*xmpp.Error](err); ok {
		return nil, nil, false, fatal("resource-constraint", told.Text)
	}
	return s, append(answer, bound), false, err
}

// tokenFor does what the client asked about its tokens (XEP-0484 §3), after it has proved who it is.
func (c *connection) tokenFor(account *core.Account, x *exchange) (*xmpp.Element, error) {
	d, ctx := c.door, c.door.life
	fast := x.request.Child(nsFast, "fast")
	rotate := false
	mechanism := ""
	if len(x.tokens) > 0 {
		used := x.tokens[x.server.Token()]
		mechanism = used.mechanism
		if err := d.tokens.used(ctx, used, fast.Attr("count")); err != nil {
			return nil, err
		}
		if isTrue(fast.Attr("invalidate")) {
			if err := d.tokens.forget(ctx, account.ID, c.client.id); err != nil {
				return nil, err
			}
		} else {
			rotate = d.tokens.due(used)
		}
	}
	if request := x.request.Child(nsFast, "request-token"); request != nil {
		mechanism, rotate = request.Attr("mechanism"), true
	}
	if !rotate || c.client.id == "" || !c.offersToken(mechanism) {
		return nil, nil
	}
	return d.tokens.issue(ctx, account.ID, c.client, mechanism)
}

func (c *connection) offersToken(mechanism string) bool {
	for _, name := range c.offer2.Fast {
		if name == mechanism {
			return true
		}
	}
	return false
}

// tokenSecrets are the tokens that a client may prove to have.
func (c *connection) tokenSecrets(x *exchange, username, mechanism string) ([][]byte, error) {
	d := c.door
	if x.request == nil || c.client.id == "" || x.request.Child(nsFast, "fast") == nil {
		return nil, nil
	}
	jid, err := xmpp.NewJID(username, d.server.Domain().Domain(), "")
	if err != nil {
		return nil, nil
	}
	account, err := d.server.Account(d.life, jid)
	if errors.Is(err, core.ErrNoAccount) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if x.kept, x.disabled, err = d.credentials.Credentials(d.life, username); err != nil && !errors.Is(err, sasl.ErrUnknownUser) {
		return nil, err
	}
	if x.tokens, err = d.tokens.find(d.life, account.ID, c.client.id, mechanism); err != nil {
		return nil, err
	}
	var secrets [][]byte
	for _, one := range x.tokens {
		secrets = append(secrets, one.secret)
	}
	return secrets, nil
}
