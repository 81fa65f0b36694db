// Package handshake is what "sandboxd plugin" and the program that starts it agree on
// before they speak gRPC, for those who use go-plugin themselves and not package sdk.
package handshake

import plugin "github.com/hashicorp/go-plugin"

// Version is the newest version of the protocol: 1 is the gRPC service
// sandboxd.v1.Sandbox. Within a version the protocol only grows.
const Version = 1

// Name is the plugin's name in a [plugin.PluginSet].
const Name = "sandbox"

// Config is the handshake. The cookie is a courtesy to people who start the plugin by
// hand, and no lock: AutoMTLS is.
var Config = plugin.HandshakeConfig{
	MagicCookieKey:   "SANDBOXD_PLUGIN",
	MagicCookieValue: "7b2c1f0e-5a7d-4d6c-9c55-0f7a2f6f9d31",
}

// How many bytes each side takes in before the other waits: for one call, and for all
// that came in and were not looked at yet. They are fixed because gRPC otherwise sizes
// them by measuring the connection with a ping for each message, which costs a call of
// a tool more than the message does.
const (
	StreamWindow = 1 << 20
	ConnWindow   = 4 << 20
)
