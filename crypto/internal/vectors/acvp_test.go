package vectors

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

const circl = "github.com/cloudflare/circl"

// acvpGroup is a group of an ACVP prompt, or of its expected results.
type acvpGroup struct {
	TgID         int
	ParameterSet string
	Function     string
	Dk           bytesHex
	Tests        []acvpTest
}

// acvpTest is a case of a prompt, or its expected result: what a file does not have stays empty.
type acvpTest struct {
	TcID                        int
	Seed, D, Z, Ek, M, C, K, Dk bytesHex
	Pk, Sk                      bytesHex
}

// loadACVP reads folder (below circl's module) and makes vectors of the cases of one parameter set.
func loadACVP(t *testing.T, folder, set string, make func(g acvpGroup, prompt, result acvpTest) (expected []byte, check func([]byte) bool)) []vector {
	t.Helper()
	results := map[int]acvpTest{}
	for _, g := range readACVP(t, folder, "expectedResults") {
		for _, c := range g.Tests {
			results[c.TcID] = c
		}
	}
	var out []vector
	for _, g := range readACVP(t, folder, "prompt") {
		if g.ParameterSet != set {
			continue
		}
		for _, c := range g.Tests {
			result, ok := results[c.TcID]
			if !ok {
				t.Fatalf("%s: case %d has no result", folder, c.TcID)
			}
			expected, check := make(g, c, result)
			out = append(out, vector{fmt.Sprintf("%s %d", filepath.Base(folder), c.TcID), true, expected, check})
		}
	}
	return out
}

func readACVP(t *testing.T, folder, file string) []acvpGroup {
	t.Helper()
	f, err := os.Open(filepath.Join(circlDir(t), folder, file+".json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var content struct{ TestGroups []acvpGroup }
	if err := json.NewDecoder(z).Decode(&content); err != nil {
		t.Fatal(err)
	}
	return content.TestGroups
}

// circlDir is where the module lies, as the go command says.
func circlDir(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", circl).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Fatalf("go list -m %s: %q, %v", circl, dir, err)
	}
	return dir
}

func loadACVPSignatureKeys(t *testing.T) []vector {
	return loadACVP(t, "sign/mldsa/testdata/ML-DSA-keyGen-FIPS204", "ML-DSA-65",
		func(_ acvpGroup, prompt, result acvpTest) ([]byte, func([]byte) bool) {
			return slices.Concat(result.Pk, result.Sk), func(expected []byte) bool {
				pk, sk := mldsa65.NewKeyFromSeed((*[mldsa65.SeedSize]byte)(prompt.Seed))
				return bytes.Equal(slices.Concat(pk.Bytes(), sk.Bytes()), expected)
			}
		})
}

func loadACVPKeys(t *testing.T) []vector {
	return loadACVP(t, "kem/mlkem/testdata/ML-KEM-keyGen-FIPS203", "ML-KEM-768",
		func(_ acvpGroup, prompt, result acvpTest) ([]byte, func([]byte) bool) {
			return slices.Concat(result.Ek, result.Dk), func(expected []byte) bool {
				pk, sk := mlkem768.NewKeyFromSeed(slices.Concat(prompt.D, prompt.Z))
				ek, dk := make([]byte, mlkem768.PublicKeySize), make([]byte, mlkem768.PrivateKeySize)
				pk.Pack(ek)
				sk.Pack(dk)
				return bytes.Equal(slices.Concat(ek, dk), expected)
			}
		})
}

func loadACVPEncapsulations(t *testing.T) []vector {
	return loadACVP(t, "kem/mlkem/testdata/ML-KEM-encapDecap-FIPS203", "ML-KEM-768",
		func(g acvpGroup, prompt, result acvpTest) ([]byte, func([]byte) bool) {
			if g.Function == "encapsulation" {
				return slices.Concat(result.K, result.C), func(expected []byte) bool {
					return bytes.Equal(encapsulate(t, prompt.Ek, prompt.M), expected)
				}
			}
			return result.K, func(expected []byte) bool {
				return bytes.Equal(decapsulate(t, g.Dk, prompt.C), expected)
			}
		})
}

// encapsulate gives the secret and the ciphertext.
func encapsulate(t *testing.T, ek, m []byte) []byte {
	t.Helper()
	var pk mlkem768.PublicKey
	if err := pk.Unpack(ek); err != nil {
		t.Fatal(err)
	}
	k, c := make([]byte, mlkem768.SharedKeySize), make([]byte, mlkem768.CiphertextSize)
	pk.EncapsulateTo(c, k, m)
	return append(k, c...)
}

func decapsulate(t *testing.T, dk, c []byte) []byte {
	t.Helper()
	var sk mlkem768.PrivateKey
	if err := sk.Unpack(dk); err != nil {
		t.Fatal(err)
	}
	k := make([]byte, mlkem768.SharedKeySize)
	sk.DecapsulateTo(k, c)
	return k
}

// TestCirclsOwnACVPTestsPassHere runs the vectors sigGen and sigVer, which go through an internal interface of ML-DSA that
// only circl's own tests reach, on this processor.
func TestCirclsOwnACVPTestsPassHere(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-run", "^TestACVP$", circl+"/sign/mldsa/mldsa65").CombinedOutput()
	if err != nil {
		t.Fatalf("go test: %v\n%s", err, out)
	}
	for _, name := range []string{"keyGen", "sigGen", "sigVer"} {
		if !strings.Contains(string(out), "--- PASS: TestACVP/"+name) {
			t.Errorf("%s did not run:\n%s", name, out)
		}
	}
}
