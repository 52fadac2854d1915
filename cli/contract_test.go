package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/app/api"
	"github.com/cryptexq/cryptexq/app/sim"
)

// TestWhatScriptsReadIsThere holds the names of fields that were promised to whoever reads --json. Fields may be added here, and
// never changed: a name that is missing has broken somebody's script.
func TestWhatScriptsReadIsThere(t *testing.T) {
	for _, row := range []struct {
		name   string
		object any
		fields string
	}{
		{"id", api.Identity{}, "name account device peer safety_number addresses"},
		{"invite", api.Invite{}, "link expires"},
		{"add, accept", api.Added{}, "contact state"},
		{"requests", api.Request{}, "account name token"},
		{"contacts, block", api.Contact{}, "account name state verified path last_seen"},
		{"nearby", api.Nearby{}, "account name"},
		{"verify-contact", api.Safety{}, "account name safety_number verified"},
		{"rooms, room show", api.Room{}, "room name kind members unread policy"},
		{"send, read", api.Message{}, "id room from name kind text sent received state delivered_to of signed verified forked"},
		{"verified", api.Verified{}, "k n s"},
		{"gap", api.Line{Gap: &api.Gap{}}, "gap"},
		{"what is in a gap", api.Gap{}, "room from missing asking"},
		{"status", api.Status{}, "profile version ready peers lan relays queued refused gossip uptime_s rss_bytes"},
		{"gossip", api.Gossip{}, "topics accepted"},
		{"sim", sim.Result{}, "seed ok trace failure"},
		{"version", versions{}, "version commit suite go"},
		{"kit show", api.Words{}, "words"},
		{"doctor", finding{}, "check ok text"},
		{"node", started{}, "ready profile pid socket addresses"},
		{"any error", api.Error{}, "code message"},
	} {
		b, err := json.Marshal(row.object)
		if err != nil {
			t.Fatal(err)
		}
		var have map[string]json.RawMessage
		if err := json.Unmarshal(b, &have); err != nil {
			t.Fatal(err)
		}
		for _, field := range strings.Fields(row.fields) {
			if _, ok := have[field]; !ok {
				t.Errorf("%s prints %s, which has no %s", row.name, b, field)
			}
		}
	}
}

// TestExitCodesAreWhatTheyWere holds the numbers that scripts branch on.
func TestExitCodesAreWhatTheyWere(t *testing.T) {
	for name, row := range map[string][2]int{
		"done": {exitDone, 0}, "failed": {exitFailed, 1}, "usage": {exitUsage, 2}, "not running": {exitNotRunning, 3}, "locked": {exitLocked, 4},
		"not found": {exitNotFound, 5}, "timeout": {exitTimeout, 6},
	} {
		if row[0] != row[1] {
			t.Errorf("%s is exit %d, and was %d", name, row[0], row[1])
		}
	}
}
