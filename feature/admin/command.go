package admin

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// maxNamed is the most accounts that one command may name.
const maxNamed = 100

func (f *Feature) addUser(ctx context.Context, answers *xmpp.Form) (*xmpp.Form, string, error) {
	jid, err := f.address(answers.Get("accountjid"))
	if err != nil {
		return nil, "", err
	}
	if answers.Get("password") != answers.Get("password-verify") {
		return nil, "", xmpp.NotAcceptable.Because("the two passwords differ")
	}
	account, err := f.accounts.Create(ctx, jid.Local(), answers.Get("password"), false, nil)
	if err != nil {
		return nil, "", err
	}
	return nil, account.JID.String() + " was added", nil
}

// named are the addresses in the field accountjids, each once.
func (f *Feature) named(answers *xmpp.Form) ([]xmpp.JID, error) {
	one := answers.Field("accountjids")
	if one == nil || len(one.Values) == 0 || len(one.Values) > maxNamed {
		return nil, xmpp.NotAcceptable.Because("name 1 to %d accounts", maxNamed)
	}
	var all []xmpp.JID
	for _, text := range one.Values {
		jid, err := f.address(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, jid) {
			all = append(all, jid)
		}
	}
	return all, nil
}

// accountsNamed are the accounts in the field accountjids, each once; all have to exist.
func (f *Feature) accountsNamed(ctx context.Context, answers *xmpp.Form) ([]*core.Account, error) {
	jids, err := f.named(answers)
	if err != nil {
		return nil, err
	}
	var all []*core.Account
	for _, jid := range jids {
		account, err := f.at(ctx, jid)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(other *core.Account) bool { return other.ID == account.ID }) {
			all = append(all, account)
		}
	}
	return all, nil
}

// each makes a command that does the same with several accounts. All have to exist before anything is done.
func (f *Feature) each(done string, act func(ctx context.Context, account *core.Account) error) func(context.Context, *xmpp.Form) (*xmpp.Form, string, error) {
	return func(ctx context.Context, answers *xmpp.Form) (*xmpp.Form, string, error) {
		accounts, err := f.accountsNamed(ctx, answers)
		if err != nil {
			return nil, "", err
		}
		for _, account := range accounts {
			if err := act(ctx, account); err != nil {
				return nil, "", err
			}
		}
		return nil, strconv.Itoa(len(accounts)) + " " + done, nil
	}
}

func (f *Feature) remove(ctx context.Context, account *core.Account) error {
	return f.accounts.Remove(ctx, account, nil)
}

// endSessions ends one session for a full address, all for a bare one.
func (f *Feature) endSessions(ctx context.Context, answers *xmpp.Form) (*xmpp.Form, string, error) {
	jids, err := f.named(answers)
	if err != nil {
		return nil, "", err
	}
	ended := 0
	for _, jid := range jids {
		for _, session := range f.server.Sessions(jid.Bare()) {
			if jid.IsBare() || session.JID == jid {
				session.End("policy-violation", "an administrator ended this session")
				ended++
			}
		}
	}
	return nil, strconv.Itoa(ended) + " sessions ended", nil
}

// changePassword ends the sessions of the account; the administrator's own session goes on if it is that one's.
func (f *Feature) changePassword(ctx context.Context, r *core.Request, answers *xmpp.Form) (*xmpp.Form, string, error) {
	account, err := f.account(ctx, answers.Get("accountjid"))
	if err != nil {
		return nil, "", err
	}
	return nil, "the password was changed", f.accounts.SetPassword(ctx, account, answers.Get("password"), r.Via, f.raising(r.Sender, "password"))
}

func (f *Feature) lastLogin(ctx context.Context, answers *xmpp.Form) (*xmpp.Form, string, error) {
	accounts, err := f.accountsNamed(ctx, answers)
	if err != nil {
		return nil, "", err
	}
	var names, days []string
	for _, account := range accounts {
		seen, err := f.census.Seen(ctx, account)
		if err != nil {
			return nil, "", err
		}
		day := "never"
		if !seen.IsZero() {
			day = seen.Format(time.RFC3339)
		}
		names, days = append(names, account.JID.String()), append(days, day)
	}
	form := answer("accountjids", "jid-multi", "Accounts", names...)
	return form.Add("lastlogin", "text-multi", "Last day of use", days...), "", nil
}

func (f *Feature) userStats(ctx context.Context, answers *xmpp.Form) (*xmpp.Form, string, error) {
	account, err := f.account(ctx, answers.Get("accountjid"))
	if err != nil {
		return nil, "", err
	}
	var resources []string
	for _, session := range f.server.Sessions(account.JID) {
		resources = append(resources, session.JID.Resource())
	}
	return answer("onlineresources", "text-multi", "Sessions", resources...), "", nil
}

func (f *Feature) countAll(ctx context.Context, _ *xmpp.Form) (*xmpp.Form, string, error) {
	all, _, err := f.census.Count(ctx)
	return answer("registeredusersnum", "text-single", "Accounts", strconv.Itoa(all)), "", err
}

func (f *Feature) countDisabled(ctx context.Context, _ *xmpp.Form) (*xmpp.Form, string, error) {
	_, disabled, err := f.census.Count(ctx)
	return answer("disabledusersnum", "text-single", "Disabled accounts", strconv.Itoa(disabled)), "", err
}

func (f *Feature) countOnline(context.Context, *xmpp.Form) (*xmpp.Form, string, error) {
	online, _ := f.online(false)
	return answer("onlineusersnum", "text-single", "Accounts online", strconv.Itoa(online)), "", nil
}

func (f *Feature) countActive(context.Context, *xmpp.Form) (*xmpp.Form, string, error) {
	active, _ := f.online(true)
	return answer("activeusersnum", "text-single", "Accounts that are available", strconv.Itoa(active)), "", nil
}

// online counts the accounts that have a session, or one that is available, and lists the first of them.
func (f *Feature) online(available bool) (count int, first []string) {
	seen := map[xmpp.JID]bool{}
	f.server.EachSession(func(session *core.Session) {
		if is, _ := session.Available(); available && !is {
			return
		}
		bare := session.Account.JID
		if seen[bare] {
			return
		}
		seen[bare] = true
		if len(first) < maxListed {
			first = append(first, bare.String())
		}
	})
	return len(seen), first
}

func (f *Feature) listAll(ctx context.Context, _ *xmpp.Form) (*xmpp.Form, string, error) {
	return f.list(ctx, false, "registereduserjids", "Accounts")
}

func (f *Feature) listDisabled(ctx context.Context, _ *xmpp.Form) (*xmpp.Form, string, error) {
	return f.list(ctx, true, "disableduserjids", "Disabled accounts")
}

func (f *Feature) list(ctx context.Context, onlyDisabled bool, name, label string) (*xmpp.Form, string, error) {
	names, err := f.census.Names(ctx, onlyDisabled, maxListed)
	if err != nil {
		return nil, "", err
	}
	for i, local := range names {
		names[i] = local + "@" + f.server.Domain().String()
	}
	return answer(name, "jid-multi", label, names...), truncated(len(names)), nil
}

func (f *Feature) listOnline(context.Context, *xmpp.Form) (*xmpp.Form, string, error) {
	_, first := f.online(false)
	return answer("onlineuserjids", "jid-multi", "Accounts online", first...), truncated(len(first)), nil
}

func truncated(length int) string {
	if length < maxListed {
		return ""
	}
	return "these are the first " + strconv.Itoa(maxListed) + "; palabre account list shows all"
}

// announce sends a headline to every session that is available. It is for those who are there: nobody finds it later.
func (f *Feature) announce(_ context.Context, answers *xmpp.Form) (*xmpp.Form, string, error) {
	one := answers.Field("announcement")
	if one == nil || strings.TrimSpace(strings.Join(one.Values, "")) == "" {
		return nil, "", xmpp.NotAcceptable.Because("there is nothing to announce")
	}
	text := strings.Join(one.Values, "\n")
	told := 0
	f.server.EachSession(func(session *core.Session) {
		if available, _ := session.Available(); !available {
			return
		}
		st := &xmpp.Stanza{Kind: xmpp.Message, Type: "headline", From: f.server.Domain(), To: session.JID}
		session.Send(st.Add(xmpp.NewText(xmpp.NSClient, "subject", "Announcement"), xmpp.NewText(xmpp.NSClient, "body", text)))
		told++
	})
	return nil, "told to " + strconv.Itoa(told) + " sessions", nil
}
