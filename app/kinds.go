package app

import (
	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
)

// kindUnknown marks a message of a kind that this version does not know: kept, and shown as "needs a newer version".
const kindUnknown = 255

// item is an opened record of an entry, with where it came from.
type item struct {
	round  *round
	room   store.Room
	log    store.Log
	author store.Device
	entry  store.Entry
	sort   int64
	ms     int64 // of the header
	hold   int64 // shown at once when 0
	body   []byte
}

// kind is one row of the table of what entries hold.
type kind struct {
	name   string
	handle func(o *opener, tx *store.Tx, i item) error
}

// kinds lists every kind of entry. What is not here is kept as it came.
func kinds(number uint8) (kind, bool) {
	switch number {
	case wire.ItemOpen:
		return kind{"open", (*opener).takeOpen}, true
	case wire.ItemCard:
		return kind{"card", (*opener).takeCard}, true
	case wire.ItemText:
		return kind{"text", (*opener).takeText}, true
	}
	return kind{}, false
}

// kindName is the word for a message's kind.
func kindName(number int) string {
	if k, ok := kinds(uint8(number)); ok {
		return k.name
	}
	return "unknown"
}
