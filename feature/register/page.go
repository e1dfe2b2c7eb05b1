package register

import (
	"embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/netip"

	"rsc.io/qr"

	"palabre.dev/palabre/xmpp"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// maxForm is the most bytes of a form that is sent in.
const maxForm = 16 << 10

// page is what the templates show.
type page struct {
	Title   string
	Domain  string
	Inviter string       // local part of who invites, "" for none
	Invite  *Invite      // nil for open registration
	URI     template.URL // opens an app
	Web     string
	QR      template.URL
	Action  string // where the form goes, "" for no form
	Name    string // as typed
	Problem string
	JID     string // after success
	Browser string // where the web client takes the invitation, "" for nowhere
	Apps    []platform
}

// platform is a kind of device with apps that work well here.
type platform struct {
	Name string
	Apps []app
}

type app struct{ Name, URL, About string }

var platforms = []platform{
	{"Android", []app{
		{"Conversations", "https://conversations.im/", "the best known; on Google Play and F-Droid"},
		{"Cheogram", "https://cheogram.com/android/", "Conversations with more features"},
	}},
	{"iPhone and iPad", []app{{"Monal", "https://monal-im.org/", "on the App Store"}}},
	{"Linux", []app{
		{"Dino", "https://dino.im/", "simple"}, {"Gajim", "https://gajim.org/", "full of features"},
		{"Profanity", "https://profanity-im.github.io/", "for the terminal"},
	}},
	{"Windows", []app{{"Gajim", "https://gajim.org/", "full of features"}}},
	{"Mac", []app{{"Monal", "https://monal-im.org/", "on the App Store"}, {"Gajim", "https://gajim.org/", "full of features"}}},
}

func (f *Feature) invitePage(invite *Invite, token string) page {
	l := f.link(invite, token)
	p := page{Title: "You are invited", Domain: f.server.Domain().Domain(), Inviter: invite.from, Invite: invite, URI: template.URL(l.URI),
		Web: l.Web, Name: invite.Name, Apps: platforms}
	if invite.Account {
		p.Action = "/invite/" + token
		if f.browser.offered {
			p.Browser = "/join/" + token
		}
	}
	if code, err := qr.Encode(l.Web, qr.M); err == nil {
		p.QR = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG()))
	}
	return p
}

func (f *Feature) openPage() page {
	return page{Title: "Make an account", Domain: f.server.Domain().Domain(), Action: "/register", Apps: platforms}
}

func (f *Feature) showInvite(w http.ResponseWriter, r *http.Request) {
	invite, ok := f.invitation(w, r)
	if ok {
		f.show(w, http.StatusOK, "invite.html", f.invitePage(invite, r.PathValue("token")))
	}
}

// invitation is the one in the path; if it is not good, the answer has been given.
func (f *Feature) invitation(w http.ResponseWriter, r *http.Request) (*Invite, bool) {
	problem := page{Title: "This invitation cannot be used", Domain: f.server.Domain().Domain()}
	if err := f.attempt(clientOf(r)); err != nil {
		problem.Problem = errTooMany.Text
		f.show(w, http.StatusTooManyRequests, "problem.html", problem)
		return nil, false
	}
	invite, err := f.find(r.Context(), r.PathValue("token"))
	switch {
	case errors.Is(err, ErrInvite):
		problem.Problem = "It has been used already, its time is over, or it was taken back. Ask for a new one."
		f.show(w, http.StatusNotFound, "problem.html", problem)
		return nil, false
	case err != nil:
		f.log.Error("invitation page failed", "err", err)
		problem.Problem = "Something went wrong on our side. Try again in a minute."
		f.show(w, http.StatusInternalServerError, "problem.html", problem)
		return nil, false
	}
	return invite, true
}

func (f *Feature) takeInvite(w http.ResponseWriter, r *http.Request) {
	invite, ok := f.invitation(w, r)
	if !ok {
		return
	}
	if !invite.Account {
		http.Error(w, "this invitation is not for a new account", http.StatusForbidden)
		return
	}
	f.take(w, r, invite, f.invitePage(invite, r.PathValue("token")))
}

func (f *Feature) showOpen(w http.ResponseWriter, _ *http.Request) {
	f.show(w, http.StatusOK, "invite.html", f.openPage())
}

func (f *Feature) takeOpen(w http.ResponseWriter, r *http.Request) {
	p := f.openPage()
	if err := f.attempt(clientOf(r)); err != nil {
		p.Problem = errTooMany.Text
		f.show(w, http.StatusTooManyRequests, "invite.html", p)
		return
	}
	f.take(w, r, nil, p)
}

// take makes an account from the form, or shows the form again with what to do.
func (f *Feature) take(w http.ResponseWriter, r *http.Request, invite *Invite, p page) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	p.Name = r.PostFormValue("name")
	account, err := f.enrol(r.Context(), "page", invite, clientOf(r), p.Name, r.PostFormValue("password"))
	var told *xmpp.Error
	switch {
	case errors.As(err, &told):
		p.Problem = told.Text
		f.show(w, http.StatusUnprocessableEntity, "invite.html", p)
	case err != nil:
		f.log.Error("registration page failed", "err", err)
		p.Problem = "Something went wrong on our side. Try again in a minute."
		f.show(w, http.StatusInternalServerError, "invite.html", p)
	default:
		p.Title, p.JID, p.URI = "Welcome", account.JID.String(), template.URL("xmpp:"+account.JID.String())
		f.show(w, http.StatusCreated, "welcome.html", p)
	}
}

func (f *Feature) show(w http.ResponseWriter, status int, name string, p page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := pages.ExecuteTemplate(w, name, p); err != nil {
		f.log.Debug("page not sent", "err", err)
	}
}

// clientOf is the address of whoever asks; the door has looked behind proxies.
func clientOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr()
}
