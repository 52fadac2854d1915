package app

import "github.com/cryptexq/cryptexq/app/wire"

// kindUnknown marks a message of a kind that this version does not know: kept, and shown as "needs a newer version".
const kindUnknown = 255

// kind is one row of the table of what entries hold.
type kind struct {
	name   string
	handle func(p *pass, i item) error
}

// kinds lists every kind of entry. What is not here is kept as it came.
func kinds(number uint8) (kind, bool) {
	switch number {
	case wire.ItemOpen:
		return kind{"open", (*pass).takeOpen}, true
	case wire.ItemCard:
		return kind{"card", (*pass).takeCard}, true
	case wire.ItemText:
		return kind{"text", (*pass).takeText}, true
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
