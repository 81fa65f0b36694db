package fuelprofile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"
)

// tape is a guest that tells what a test says, and its use of fuel.
type tape struct {
	r    *Recorder
	fuel uint64
}

func newTape() *tape {
	t := &tape{}
	t.r = New(func() uint64 { return t.fuel })
	return t
}

// tell uses fuel and sends a message.
func (t *tape) tell(fuel uint64, kind byte, rest ...[]byte) {
	t.fuel += fuel
	_, _ = t.r.Write(append([]byte{kind}, bytes.Join(rest, nil)...))
}

func number(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

func (t *tape) define(id uint32, name string) {
	t.tell(0, define, number(id), number(10*(id+1)), []byte(name+"\x00file"))
}

// calibrate is what a guest sends before a program begins: 200 for a call of nothing,
// and 1000 for each message.
func (t *tape) calibrate() {
	t.tell(5000, calibrate)
	t.tell(200*rounds+100, calibrate)
	t.tell(100, calibrate)
	for range rounds {
		t.tell(1000+150, enter, number(math.MaxUint32))
		t.tell(1000+50, leave)
	}
	t.tell(77, begin)
}

func byName(p *Profile) map[string]Function {
	all := map[string]Function{}
	for _, f := range p.Functions {
		f.File, f.Line = "", 0
		name := f.Name
		f.Name = ""
		all[name] = f
	}
	return all
}

func TestFuelGoesToTheFunctionThatRuns(t *testing.T) {
	g := newTape()
	g.calibrate()
	g.define(0, "main")
	g.define(1, "work")
	g.tell(1000+7, enter, number(0))
	g.tell(1000+100, enter, number(1))
	g.tell(1000+500, leave)
	g.tell(1000+20, enter, number(1))
	g.tell(1000+600, enter, number(1)) // calls itself
	g.tell(1000+30, leave)
	g.tell(1000+40, leave)
	g.tell(1000+3, leave)
	g.tell(1000+5, end)
	g.fuel += 11
	p := g.r.Finish()
	want := map[string]Function{
		"main":      {Calls: 1, Self: 123, Total: 100 + 20 + 3 + 500 + 600 + 30 + 40},
		"work":      {Calls: 3, Self: 500 + 600 + 30 + 40, Total: 500 + 600 + 30 + 40},
		Interpreter: {Self: 7 + 5 + 11, Total: 7 + 5 + 11 + 123 + 1170},
	}
	if diff := cmp.Diff(want, byName(p)); diff != "" {
		t.Error(diff)
	}
	if p.Total+p.Overhead != g.fuel {
		t.Errorf("%d for the program and %d beside it make %d, not %d", p.Total, p.Overhead, p.Total+p.Overhead, g.fuel)
	}
	if p.Functions[0].Name != "work" || p.Functions[0].File != "file" || p.Functions[0].Line != 20 {
		t.Errorf("the first is %+v", p.Functions[0])
	}
}

func TestLearningAFunctionIsNotTheProgramsWork(t *testing.T) {
	g := newTape()
	g.calibrate()
	g.tell(1000+7, pause)
	g.tell(90_000, define, number(0), number(1), []byte("f\x00file"))
	g.tell(80_000, enter, number(0))
	g.tell(1000+9, leave)
	p := g.r.Finish()
	if got := byName(p); got["f"].Self != 9 || got[Interpreter].Self != 7 {
		t.Errorf("got %+v", got)
	}
}

func TestWhatIsToldAfterTheEndDoesNotCount(t *testing.T) {
	g := newTape()
	g.define(0, "f")
	g.tell(1, end)
	g.tell(5, enter, number(0))
	g.tell(5, leave)
	if p := g.r.Finish(); len(p.Functions) != 1 || p.Total != 11 {
		t.Errorf("got %+v", p)
	}
}

// A guest that was stopped in the middle has used what it used since the last message.
func TestAGuestThatWasStopped(t *testing.T) {
	g := newTape()
	g.define(0, "f")
	g.tell(5, enter, number(0))
	g.fuel += 1000
	if got := byName(g.r.Finish()); got["f"].Self != 1000 {
		t.Errorf("got %+v", got)
	}
}

func TestProfilesAreBounded(t *testing.T) {
	g := newTape()
	g.calibrate()
	for i := range uint32(maxFunctions + 100) {
		g.define(i, fmt.Sprint("f", i))
	}
	g.define(0, strings.Repeat("x", 1<<16))
	for i := range uint32(maxFunctions + 100) {
		g.tell(1001, enter, number(i))
	}
	for range maxFunctions + 100 {
		g.tell(1001, leave)
	}
	if g.r.current != &g.r.root {
		t.Error("what was entered was not left")
	}
	for i := range uint32(maxNodes) { // wide, and then wider
		g.tell(1001, enter, number(i%maxFunctions))
		g.tell(1001, enter, number(i%7))
		g.tell(1001, enter, number(i%11))
		g.tell(1001, leave)
		g.tell(1001, leave)
		g.tell(1001, leave)
	}
	if len(g.r.functions) > maxFunctions || g.r.nodes > maxNodes {
		t.Errorf("%d functions, %d nodes", len(g.r.functions), g.r.nodes)
	}
	p := g.r.Finish()
	text, err := json.Marshal(p)
	if err != nil || len(p.Functions) != MaxListed || p.Omitted == 0 || len(text) > 64<<10 {
		t.Errorf("%d functions, %d bytes, %v", len(p.Functions), len(text), err)
	}
	if p.Total+p.Overhead != g.fuel {
		t.Errorf("%d and %d make not %d", p.Total, p.Overhead, g.fuel)
	}
}

func TestWriteIsReadableByPprof(t *testing.T) {
	g := newTape()
	g.define(0, "main")
	g.define(1, "work")
	g.tell(1, enter, number(0))
	g.tell(10, enter, number(1))
	g.tell(100, leave)
	p := g.r.Finish()
	var first, second bytes.Buffer
	if err := p.Write(&first); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("written again it is something else (%v)", err)
	}
	read, err := pprof.Parse(&first)
	if err != nil {
		t.Fatal(err)
	}
	stacks := map[string]int64{}
	for _, s := range read.Sample {
		var names []string
		for _, l := range s.Location {
			names = append(names, l.Line[0].Function.Name)
		}
		stacks[strings.Join(names, "<")] = s.Value[1]
	}
	want := map[string]int64{Interpreter: 1, "main<" + Interpreter: 10, "work<main<" + Interpreter: 100}
	if diff := cmp.Diff(want, stacks); diff != "" {
		t.Error(diff)
	}
}

func FuzzRecorder(f *testing.F) {
	f.Add([]byte("C\x05B\x05E\x00"))
	f.Fuzz(func(t *testing.T, told []byte) {
		g := newTape()
		for len(told) > 1 {
			n := min(int(told[0])%24, len(told)-1)
			g.fuel += uint64(told[0])
			_, _ = g.r.Write(told[1 : 1+n])
			told = told[1+n:]
		}
		p := g.r.Finish()
		if p.Total+p.Overhead != g.fuel {
			t.Errorf("%d and %d of %d", p.Total, p.Overhead, g.fuel)
		}
		if err := p.Write(&bytes.Buffer{}); err != nil {
			t.Error(err)
		}
		if _, err := json.Marshal(p); err != nil {
			t.Error(err)
		}
	})
}
