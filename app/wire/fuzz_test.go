package wire

import (
	"bytes"
	"testing"
)

func FuzzParseGenesis(f *testing.F) {
	fuzzType(f, "Genesis direct", "Genesis notes", "Genesis verified")
}
func FuzzParseDeliver(f *testing.F) { fuzzType(f, "Deliver") }

func FuzzParseAnswer(f *testing.F) { fuzzType(f, "Answer have", "Answer later", "Answer refused") }

func FuzzParseHave(f *testing.F) { fuzzType(f, "Have", "Have none") }

func FuzzParseHaves(f *testing.F) { fuzzType(f, "Haves") }

func FuzzParseSync(f *testing.F) { fuzzType(f, "Sync 1", "Sync 2", "Sync 3") }

func FuzzParseEvidenceRequest(f *testing.F) { fuzzType(f, "EvidenceRequest") }

func FuzzParseTyping(f *testing.F) { fuzzType(f, "Typing") }

func FuzzParseFetch(f *testing.F) { fuzzType(f, "Fetch") }

func FuzzParseFetched(f *testing.F) { fuzzType(f, "Fetched", "Fetched nothing") }

func FuzzParseKeyRequest(f *testing.F) { fuzzType(f, "KeyRequest keys", "KeyRequest gate") }

func FuzzParseKeyReply(f *testing.F) { fuzzType(f, "KeyReply no", "KeyReply keys", "KeyReply gate") }

func FuzzParseKeys(f *testing.F) { fuzzType(f, "Keys") }

func FuzzParseSelfObject(f *testing.F) { fuzzType(f, "SelfObject") }

func FuzzParseCard(f *testing.F) { fuzzType(f, "Card", "Card bare") }

func FuzzParseHello(f *testing.F) { fuzzType(f, "Hello", "Hello without token") }

func FuzzParseGate(f *testing.F) { fuzzType(f, "Gate") }

func FuzzParseChain(f *testing.F) { fuzzType(f, "Chain", "Chain certified") }

func FuzzParseClose(f *testing.F) { fuzzType(f, "Close") }

func FuzzParseMeet(f *testing.F) { fuzzType(f, "Meet") }

func FuzzParseWelcome(f *testing.F) { fuzzType(f, "Welcome first", "Welcome later") }

func FuzzParseOpen(f *testing.F) { fuzzType(f, "Open") }

func FuzzParseText(f *testing.F) { fuzzType(f, "Text", "Text reply") }

func FuzzParseControl(f *testing.F) { fuzzType(f, "Control") }

// Padding is no part of the records, so what parses comes back but for the zeros behind it.
func FuzzParseRecords(f *testing.F) {
	f.Add(MarshalRecords([]Record{{1, []byte("a")}, {9, nil}}))
	f.Add(append(MarshalRecords([]Record{{1, []byte("a")}}), 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := ParseRecords(b)
		if err != nil {
			return
		}
		got := MarshalRecords(records)
		if !bytes.HasPrefix(b, got) || len(bytes.Trim(b[len(got):], "\x00")) != 0 {
			t.Errorf("%x parses, and marshals to %x", b, got)
		}
	})
}
