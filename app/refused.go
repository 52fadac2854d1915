package app

import "github.com/cryptexq/cryptexq/p2p/peer"

// peerRefused is what a handler returns for a frame that is wrong in itself; the node counts the cause and answers no.
type peerRefused = peer.RefusedError
