package main

import (
	"encoding/binary"
	"encoding/json"
)

// The functions of Extism's kernel that a plugin needs: enough to do without a
// library. Offsets and lengths are in the kernel's own memory.
//
// See https://github.com/extism/extism/blob/main/kernel/src/lib.rs

//go:wasmimport extism:host/env input_length
func inputLength() uint64

//go:wasmimport extism:host/env input_load_u8
func inputLoad8(offset uint64) uint32

//go:wasmimport extism:host/env input_load_u64
func inputLoad64(offset uint64) uint64

//go:wasmimport extism:host/env alloc
func alloc(length uint64) uint64

//go:wasmimport extism:host/env store_u8
func store8(offset uint64, value uint32)

//go:wasmimport extism:host/env output_set
func outputSet(offset, length uint64)

// request is what sandboxd asks for; see docs/runtimes.md.
type request struct {
	Code     string            `json:"code"`
	Filename string            `json:"filename"`
	Args     []string          `json:"args"`
	Env      map[string]string `json:"env"`
	Memory   int64             `json:"memory"`
}

// report is what sandboxd is told of how the program ended.
type report struct {
	ExitCode int      `json:"exit_code"`
	Error    *failure `json:"error,omitempty"`
}

type failure struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

func readRequest() (*request, error) {
	n := inputLength()
	input := make([]byte, n)
	at := uint64(0)
	for ; at+8 <= n; at += 8 {
		binary.LittleEndian.PutUint64(input[at:], inputLoad64(at))
	}
	for ; at < n; at++ {
		input[at] = byte(inputLoad8(at))
	}
	r := new(request)
	return r, json.Unmarshal(input, r)
}

func writeReport(r report) {
	text, err := json.Marshal(r)
	if err != nil {
		return // the exit code that execute returns still counts
	}
	n := uint64(len(text))
	at := alloc(n)
	for i, b := range text {
		store8(at+uint64(i), uint32(b))
	}
	outputSet(at, n)
}
