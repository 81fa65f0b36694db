package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	extism "github.com/extism/go-sdk"
)

// extismDoor runs the module as stock Extism does, with the only limit on CPU
// time that its manifest offers.
type extismDoor struct{ plugin *extism.CompiledPlugin }

func openExtism(ctx context.Context, e *environment) (door, string, error) {
	module, err := e.module(ctx)
	if err != nil {
		return nil, "", err
	}
	config, err := wazeroConfig(e)
	if err != nil {
		return nil, "", err
	}
	e.say("compiling for Extism")
	plugin, err := extism.NewCompiledPlugin(ctx, extism.Manifest{
		Wasm:    []extism.Wasm{extism.WasmData{Data: module}},
		Timeout: uint64(callLimit / time.Millisecond),
	}, extism.PluginConfig{EnableWasi: true, RuntimeConfig: config}, nil)
	if err != nil {
		return nil, "", fmt.Errorf("compile: %w", err)
	}
	return extismDoor{plugin}, moduleVersion("github.com/extism/go-sdk"), nil
}

func (d extismDoor) call(ctx context.Context, code string, stdin io.Reader) (_ outcome, err error) {
	var stdout, stderr bytes.Buffer
	p, err := d.plugin.Instance(ctx, extism.PluginInstanceConfig{ModuleConfig: guestConfig(code, stdin, &stdout, &stderr)})
	if err != nil {
		return outcome{}, fmt.Errorf("instantiate: %w", err)
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	_, _, err = p.CallWithContext(ctx, "_start", nil)
	if err := exitOf(err, stderr.String()); err != nil {
		return outcome{}, err
	}
	return outcome{stdout: stdout.String()}, nil
}

func (d extismDoor) close() error { return d.plugin.Close(context.Background()) }
