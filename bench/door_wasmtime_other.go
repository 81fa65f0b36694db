//go:build !cgo || !(linux || darwin)

package main

import (
	"context"
	"errors"
)

// openWasmtime reports that wasmtime is missing: its Go binding needs cgo.
func openWasmtime(bool, func(context.Context, *environment) (*python, error)) func(context.Context, *environment) (door, string, error) {
	return func(context.Context, *environment) (door, string, error) {
		return nil, "", errors.New("built without cgo")
	}
}
