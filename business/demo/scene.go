// Package demo fills a fresh server with a scene for trying it: friends who write to each other and share a dinner, a fishmonger, a town hall with its
// channel, a bank. It does all of it through the door, as clients do, for palabre demo and for tests. Done twice it adds nothing. What is said is said in
// clear, so that a browser that is opened afterwards can read it; what is written from there on is encrypted as ever. Left out: the bank's bot (package bank)
// and the server, which the caller runs.
package demo

import (
	"context"
	"fmt"
	"log/slog"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// Town is the server that is filled.
type Town struct {
	// Domain is that of the accounts.
	Domain string
	// Account makes an account, once.
	Account func(ctx context.Context, name string) error
	// Login is how an account of the scene logs in.
	Login func(name string) client.Config
	// Approve is the second pair of eyes when money is issued into wallets: it approves a proposal of the town hall's. nil if the server has no payments.
	Approve func(ctx context.Context, proposal int64) error
	// Unit is what is paid in.
	Unit string
	Log  *slog.Logger
}

// Person is one of the scene.
type Person struct {
	Name   string // of the account
	Title  string // for people
	Colour [3]uint8
	// Sign is what the picture shows.
	Sign byte
}

// People are those of the scene; the first two are there to be tried.
var People = []Person{
	{"karim", "Karim Alami", [3]uint8{31, 122, 104}, 'k'},
	{"nadia", "Nadia Haddad", [3]uint8{193, 92, 61}, 'n'},
	{"lucie", "Lucie Martin", [3]uint8{92, 88, 168}, 'p'},
	{"omar", "Omar Benali", [3]uint8{58, 110, 165}, 'p'},
	{"joao", "João Costa", [3]uint8{160, 120, 40}, 'p'},
	{"amina", "Amina Diop", [3]uint8{170, 70, 110}, 'p'},
	{Fishmonger, "Poissonnerie Hassan", [3]uint8{20, 90, 140}, 'f'},
	{TownHall, "Town Hall of Saint-Elme", [3]uint8{120, 40, 50}, 'h'},
	{Bank, "Banque de la Place", [3]uint8{40, 70, 60}, 'b'},
}

// Accounts with a part of their own.
const (
	Fishmonger = "hassan"
	TownHall   = "mairie"
	Bank       = "banque"
)

// friends are in the group.
var friends = []string{"karim", "nadia", "lucie", "omar", "joao", "amina"}

// Fill makes the scene, or what is missing of it.
func Fill(ctx context.Context, town Town) error {
	if town.Log == nil {
		town.Log = slog.New(slog.DiscardHandler)
	}
	for _, p := range People {
		if err := town.Account(ctx, p.Name); err != nil {
			return fmt.Errorf("demo: make the account %s: %w", p.Name, err)
		}
	}
	s := &scene{Town: town, sessions: map[string]*session{}}
	defer s.close()
	for _, p := range People {
		if err := s.arrive(ctx, p); err != nil {
			return fmt.Errorf("demo: %s: %w", p.Name, err)
		}
	}
	for _, step := range []struct {
		name string
		do   func(ctx context.Context) error
	}{{"contacts", s.meet}, {"money", s.fund}, {"conversations", s.talk}, {"group", s.gather}, {"channel", s.announce}, {"payments", s.pay}} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("demo: %s: %w", step.name, err)
		}
		town.Log.Debug("a part of the scene is there", "part", step.name)
	}
	return nil
}

// scene is a town with everybody's sessions.
type scene struct {
	Town
	sessions map[string]*session
}

func (s *scene) jid(name string) xmpp.JID { return xmpp.MustJID(name + "@" + s.Domain) }

func (s *scene) close() {
	for _, one := range s.sessions {
		one.Close()
	}
}

// arrive logs somebody in and says who they are.
func (s *scene) arrive(ctx context.Context, p Person) error {
	one, err := open(ctx, s.Login(p.Name))
	if err != nil {
		return err
	}
	s.sessions[p.Name] = one
	if err := one.introduce(ctx, p); err != nil {
		return err
	}
	return one.SetPresence(ctx, client.Presence{Priority: -1})
}

// meet makes contacts of all who know each other: the friends among themselves, and everybody the fishmonger, the town hall and the bank.
func (s *scene) meet(ctx context.Context) error {
	for i, p := range People {
		for _, q := range People[i+1:] {
			for _, pair := range [][2]Person{{p, q}, {q, p}} {
				one := s.sessions[pair[0].Name]
				if err := one.know(ctx, s.jid(pair[1].Name), pair[1].Title); err != nil {
					return err
				}
			}
			for _, pair := range [][2]Person{{p, q}, {q, p}} {
				if err := s.sessions[pair[0].Name].Subscribe(ctx, s.jid(pair[1].Name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
