package register

import (
	"context"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// mayInvite says who sees the commands that invite.
func (f *Feature) mayInvite(ctx context.Context, account *core.Account) (bool, error) {
	if f.cfg.MembersInvite {
		return true, nil
	}
	return f.standing.IsAdmin(ctx, account)
}

// inviteFriend is XEP-0401 §5.1: no questions, one link.
func (f *Feature) inviteFriend(ctx context.Context, r *core.Request, _ []*xmpp.Form) (*xmpp.Form, string, error) {
	if err := f.withinDay(ctx, r.Sender); err != nil {
		return nil, "", err
	}
	link, err := f.Invite(ctx, r.Sender, Invite{Befriend: true, Account: true})
	if err != nil {
		return nil, "", err
	}
	return result(link), "", nil
}

// inviteAccount is XEP-0401 §5.4: a link for a new account, with its name or without.
func (f *Feature) inviteAccount(ctx context.Context, r *core.Request, answers []*xmpp.Form) (*xmpp.Form, string, error) {
	if len(answers) == 0 {
		form := xmpp.NewForm("form", nsInvite+"#create-account")
		form.Title, form.Instructions = "Invite somebody to make an account", "Leave the name empty to let them choose one."
		form.Add("username", "text-single", "Name").Add("roster-subscription", "boolean", "Become contacts", "1")
		return form, "", nil
	}
	if err := f.withinDay(ctx, r.Sender); err != nil {
		return nil, "", err
	}
	befriend, ok := xmpp.Bool(answers[0].Get("roster-subscription"))
	if !ok {
		befriend = false
	}
	link, err := f.Invite(ctx, r.Sender, Invite{Account: true, Befriend: befriend, Name: answers[0].Get("username")})
	if err != nil {
		return nil, "", err
	}
	return result(link), "", nil
}

// withinDay refuses the invitation of a member who has made too many in a day.
func (f *Feature) withinDay(ctx context.Context, account *core.Account) error {
	if admin, err := f.standing.IsAdmin(ctx, account); err != nil || admin {
		return err
	}
	var made int
	yesterday := time.Now().Add(-24 * time.Hour).UnixMicro()
	if err := f.db.QueryRow(ctx, `select count(*) from register_invite where inviter = $1 and id > $2`, account.ID, yesterday).Scan(&made); err != nil {
		return err
	}
	if made >= f.cfg.InvitesPerDay {
		return xmpp.ResourceConstraint.Because("at most %d invitations in a day", f.cfg.InvitesPerDay)
	}
	return nil
}

// result is the form with the link (XEP-0401 §5.1).
func result(link Link) *xmpp.Form {
	form := xmpp.NewForm("result", nsInvite+"#invitation").Add("uri", "text-single", "Link for an app", link.URI)
	if link.Web != "" {
		form.Add("landing-url", "text-single", "Link for a browser", link.Web)
	}
	return form.Add("expire", "text-single", "Good until", link.Expires.Format(time.RFC3339))
}
