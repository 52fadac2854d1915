package wire

import (
	"errors"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

func TestBothSidesComputeTheSameDirectRoom(t *testing.T) {
	a, b := identity.AccountID(h32(1)), identity.AccountID(h32(2))
	if DirectGenesis(a, b).ID() != DirectGenesis(b, a).ID() {
		t.Error("the order of the two matters")
	}
	if g := DirectGenesis(b, a); g.Owner != a || g.Nonce != b || !g.Valid() {
		t.Errorf("DirectGenesis = %+v", g)
	}
	if DirectGenesis(a, a).Valid() {
		t.Error("a chat with oneself is a direct room")
	}
	if !NotesGenesis(a).Valid() || NotesGenesis(a).ID() == NotesGenesis(b).ID() {
		t.Error("NotesGenesis is not one's own room")
	}
}

func TestQuorumsAreThoseOffered(t *testing.T) {
	want := map[int]uint8{0: 0, 1: 1, 2: 2, 3: 3, 4: 3, 7: 5, 10: 7, 13: 9}
	for n, q := range want {
		if QuorumOf(n) != q {
			t.Errorf("QuorumOf(%d) = %d, want %d", n, QuorumOf(n), q)
		}
	}
}

func TestAGenesisMayNotContradictItself(t *testing.T) {
	for name, change := range map[string]func(g *Genesis){
		"kind 0":                 func(g *Genesis) { g.Kind = 0 },
		"wrong quorum":           func(g *Genesis) { g.Quorum = 2 },
		"no seats":               func(g *Genesis) { g.Seats, g.Quorum = nil, 0 },
		"signed with seats":      func(g *Genesis) { g.Policy = Signed },
		"no submit key":          func(g *Genesis) { g.SubmitHash = [32]byte{} },
		"two seats of one":       func(g *Genesis) { g.Seats[3].Account = g.Seats[0].Account },
		"verified direct, first": func(g *Genesis) { g.Kind, g.History, g.Previous = Direct, 0, [32]byte{} },
	} {
		g := verifiedGenesis()
		change(&g)
		if _, err := ParseGenesis(g.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
	a, b := identity.AccountID(h32(1)), identity.AccountID(h32(2))
	for name, change := range map[string]func(g *Genesis){
		"owner above nonce": func(g *Genesis) { g.Owner, g.Nonce = b, a },
		"history":           func(g *Genesis) { g.History = HistoryAll },
		"previous":          func(g *Genesis) { g.Previous = h32(1) },
		"submit key":        func(g *Genesis) { g.SubmitHash = h32(1) },
		"notes of two":      func(g *Genesis) { g.Kind = Notes },
	} {
		g := DirectGenesis(a, b)
		change(&g)
		if _, err := ParseGenesis(g.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("direct with %s: %v, want ErrFormat", name, err)
		}
	}
	if _, err := ParseGenesis(Genesis{Owner: a, Kind: Group}.Marshal()); err != nil {
		t.Errorf("a plain group: %v", err)
	}
	g := verifiedGenesis()
	g.Kind, g.History = Direct, HistoryJoin
	if _, err := ParseGenesis(g.Marshal()); err != nil {
		t.Errorf("a verified successor of a direct room: %v", err)
	}
}

func TestWhatANewerVersionMadeIsToldFromRubbish(t *testing.T) {
	g := verifiedGenesis()
	suite2 := g.Marshal()
	suite2[9] = 2
	newKind, newPolicy, newHistory := g, g, g
	newKind.Kind, newPolicy.Policy, newHistory.History = 4, 2, 2
	for name, b := range map[string][]byte{"suite": suite2, "kind": newKind.Marshal(), "policy": newPolicy.Marshal(), "history": newHistory.Marshal()} {
		if _, err := ParseGenesis(b); !errors.Is(err, ErrNewer) {
			t.Errorf("%s: %v, want ErrNewer", name, err)
		}
	}
	if _, err := ParseControl(Control{Op: 13}.Marshal()); !errors.Is(err, ErrNewer) {
		t.Errorf("operation 13: %v, want ErrNewer", err)
	}
	if _, err := ParseControl(Control{}.Marshal()); !errors.Is(err, ErrFormat) {
		t.Errorf("operation 0: %v, want ErrFormat", err)
	}
}

func TestOperationsHaveTheirFieldsAndNoOthers(t *testing.T) {
	someone, cut := identity.AccountID(h32(3)), []CutItem{{segment.ID(h32(8)), 1, h32(2)}}
	good := []Control{
		{Op: OpGrant, Target: someone},
		{Op: OpRevoke, Target: someone, Cut: cut},
		{Op: OpTransfer, Target: someone},
		{Op: OpAdd, Target: someone, Role: RoleMember, Value: []byte("card")},
		{Op: OpRemove, Target: someone},
		{Op: OpLeave},
		{Op: OpRole, Target: someone, Role: RoleReader},
		{Op: OpName, Value: []byte("n")},
		{Op: OpPicture},
		{Op: OpTimer, Value: []byte{1}},
		{Op: OpEndLog, Cut: cut},
		{Op: OpSeat, Target: someone, Value: []byte("seat")},
	}
	for _, c := range good {
		if _, err := ParseControl(c.Marshal()); err != nil {
			t.Errorf("operation %d: %v", c.Op, err)
		}
	}
	for name, c := range map[string]Control{
		"grant of nobody":     {Op: OpGrant},
		"grant with a role":   {Op: OpGrant, Target: someone, Role: RoleMember},
		"add without a role":  {Op: OpAdd, Target: someone, Value: []byte("card")},
		"role 3":              {Op: OpRole, Target: someone, Role: 3},
		"leave of another":    {Op: OpLeave, Target: someone},
		"name with a cut":     {Op: OpName, Value: []byte("n"), Cut: cut},
		"endlog of nothing":   {Op: OpEndLog},
		"endlog of two":       {Op: OpEndLog, Cut: append(cut, CutItem{Log: segment.ID(h32(9))})},
		"remove with a value": {Op: OpRemove, Target: someone, Value: []byte("x")},
		"one log cut twice":   {Op: OpRemove, Target: someone, Cut: append(cut, cut...)},
		"a picture too large": {Op: OpPicture, Value: make([]byte, MaxValue+1)},
	} {
		if _, err := ParseControl(c.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
}

func TestCardsAreBounded(t *testing.T) {
	for name, change := range map[string]func(c *Card){
		"a flag to come":    func(c *Card) { c.Flags = 2 },
		"a long name":       func(c *Card) { c.Name = string(fill('x', MaxName+1)) },
		"nine addresses":    func(c *Card) { c.Addresses = make([]string, MaxAddresses+1) },
		"five relays":       func(c *Card) { c.Relays = make([]identity.Relay, MaxRelays+1) },
		"no list":           func(c *Card) { c.Self.List = nil },
		"no certificate":    func(c *Card) { c.Self.Certificate = nil },
		"a relay of nobody": func(c *Card) { c.Relays[0].Peer = identity.PeerID{} },
	} {
		c := sampleCard()
		change(&c)
		if _, err := ParseCard(c.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
}

func TestChainsStandWithinTheirLength(t *testing.T) {
	for name, change := range map[string]func(c *Chain){
		"index 257": func(c *Chain) { c.Index = 257 },
		"cause 0":   func(c *Chain) { c.Cause = 0 },
		"cause 6":   func(c *Chain) { c.Cause = 6 },
	} {
		c := sampleChain()
		change(&c)
		if _, err := ParseChain(c.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
}
