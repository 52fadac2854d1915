// Package netlab gives tests a machine's network to themselves, and cables that can be pulled.
//
//	Alone   runs the calling test once more in namespaces of its own, where nothing of the real network is heard or told
//	Switch  joins the network namespaces of processes by cables (Linux, iproute2)
//
// It is for tests only: nothing that is built for people imports it. Where a machine allows no namespaces, or lacks the
// tool, the tests say so and are skipped.
package netlab
