package group

// affiliation is how somebody stands with a group for good (XEP-0045 §5.2); the numbers are stored.
type affiliation int64

const (
	outcast affiliation = iota - 1
	none
	member
	admin
	owner
)

var affiliationNames = map[affiliation]string{outcast: "outcast", none: "none", member: "member", admin: "admin", owner: "owner"}

// String is the word of XEP-0045.
func (a affiliation) String() string { return affiliationNames[a] }

func parseAffiliation(word string) (affiliation, bool) {
	for a, name := range affiliationNames {
		if name == word {
			return a, true
		}
	}
	return none, false
}

// role is what somebody may do while they are in a room (XEP-0045 §5.1).
type role uint8

const (
	absent role = iota
	visitor
	participant
	moderator
)

var roleNames = [...]string{"none", "visitor", "participant", "moderator"}

// String is the word of XEP-0045.
func (r role) String() string { return roleNames[r] }

// roleOf is the role that an affiliation brings (XEP-0045 §5.1.2).
func (s *Settings) roleOf(a affiliation) role {
	switch {
	case a >= admin:
		return moderator
	case a == outcast, a == none && s.MembersOnly:
		return absent
	case a == none && s.Moderated, s.OnlyAdminsWrite:
		return visitor
	}
	return participant
}
