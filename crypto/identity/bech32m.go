package identity

import (
	"errors"
	"strings"
)

// bech32 characters stand for 5 bits each; BIP-173 chose the order so that similar shapes differ in one bit.
const bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// bech32mConst is what the checksum's polynomial must leave, BIP-350.
const bech32mConst = 0x2bc830a3

var errBech32m = errors.New("not bech32m: a character is wrong or missing")

// encodeBech32m writes prefix, "1", data in groups of 5 bits, and the checksum. The prefix is in lower case.
func encodeBech32m(prefix string, data []byte) string {
	groups := toGroups(data)
	check := polymod(append(expandPrefix(prefix), append(groups, 0, 0, 0, 0, 0, 0)...)) ^ bech32mConst
	for i := range 6 {
		groups = append(groups, byte(check>>(5*(5-i)))&31)
	}
	var s strings.Builder
	s.WriteString(prefix + "1")
	for _, g := range groups {
		s.WriteByte(bech32Alphabet[g])
	}
	return s.String()
}

// decodeBech32m reads what encodeBech32m writes, in lower or upper case, with the padding bits zero.
func decodeBech32m(s string) (prefix string, data []byte, err error) {
	prefix, groups, err := splitBech32m(s)
	if err != nil {
		return "", nil, err
	}
	data, ok := fromGroups(groups)
	if !ok {
		return "", nil, errBech32m
	}
	return prefix, data, nil
}

// splitBech32m checks form and checksum of BIP-350 and gives prefix and groups of 5 bits without the checksum.
func splitBech32m(s string) (prefix string, groups []byte, err error) {
	if strings.IndexFunc(s, func(r rune) bool { return r < 33 || r > 126 }) >= 0 {
		return "", nil, errBech32m // before case is folded: the Kelvin sign is an upper-case k to Unicode
	}
	lower := strings.ToLower(s)
	if s != lower && s != strings.ToUpper(s) {
		return "", nil, errors.New("not bech32m: upper and lower case are mixed")
	}
	at := strings.LastIndexByte(lower, '1')
	if at < 1 || at+7 > len(lower) || len(lower) > 90 {
		return "", nil, errBech32m
	}
	for i := at + 1; i < len(lower); i++ {
		g := strings.IndexByte(bech32Alphabet, lower[i])
		if g < 0 {
			return "", nil, errBech32m
		}
		groups = append(groups, byte(g))
	}
	prefix = lower[:at]
	if polymod(append(expandPrefix(prefix), groups...)) != bech32mConst {
		return "", nil, errBech32m
	}
	return prefix, groups[:len(groups)-6], nil
}

func expandPrefix(prefix string) []byte {
	out := make([]byte, 0, 2*len(prefix)+1+64)
	for i := range len(prefix) {
		out = append(out, prefix[i]>>5)
	}
	out = append(out, 0)
	for i := range len(prefix) {
		out = append(out, prefix[i]&31)
	}
	return out
}

// polymod is the checksum's polynomial over GF(32), BIP-173.
func polymod(values []byte) uint32 {
	generator := [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}
	sum := uint32(1)
	for _, v := range values {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range generator {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}

func toGroups(data []byte) []byte {
	out := make([]byte, 0, (8*len(data)+4)/5+6)
	acc, bits := uint32(0), 0
	for _, b := range data {
		acc, bits = acc<<8|uint32(b), bits+8
		for bits >= 5 {
			bits -= 5
			out = append(out, byte(acc>>bits)&31)
		}
	}
	if bits > 0 {
		out = append(out, byte(acc<<(5-bits))&31)
	}
	return out
}

// fromGroups is the reverse; it refuses padding that is not zero, or longer than 4 bits.
func fromGroups(groups []byte) ([]byte, bool) {
	out := make([]byte, 0, len(groups)*5/8)
	acc, bits := uint32(0), 0
	for _, g := range groups {
		acc, bits = acc<<5|uint32(g), bits+5
		if bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	return out, bits < 5 && acc&(1<<bits-1) == 0
}
