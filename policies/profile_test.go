package policies

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWith(t *testing.T) {
	strict, err := Builtin().Profile("strict")
	if err != nil {
		t.Fatal(err)
	}
	open := strict.clone()
	open.Name = "open"
	open.Overridable = limitKeys()
	slices.Sort(open.Overridable)

	memoryOnly := strict.clone()
	memoryOnly.Overridable = []string{"memory"}

	fuel, files := func(v uint64) *uint64 { return &v }, func(v uint64) *uint64 { return &v }
	size, wall := func(v Bytes) *Bytes { return &v }, func(v time.Duration) *Duration { return (*Duration)(&v) }
	tests := []struct {
		name    string
		profile *Profile
		asked   Overrides
		change  func(*Profile) // what is different afterwards
		class   error
		want    string // the message
	}{
		{name: "nothing asked changes nothing", profile: strict, change: func(*Profile) {}},
		{
			name: "every limit can be tightened", profile: strict,
			asked: Overrides{fuel(1), size(MinMemory), size(1), size(2), wall(time.Millisecond), size(3), files(4), size(5), files(6), files(MinOpenFiles), files(7), size(8), size(9), size(10), wall(11 * time.Millisecond)},
			change: func(p *Profile) {
				p.Fuel, p.Memory, p.Stdout, p.Stderr = 1, MinMemory, 1, 2
				p.Timeout, p.Disk = MinTimeout, Disk{3, 4, 5, 6, MinOpenFiles}
				p.Tools = Tools{7, 8, 9, 10, Duration(11 * time.Millisecond)}
			},
		},
		{
			name: "the ceiling itself can be asked for", profile: strict,
			asked:  Overrides{Fuel: fuel(500_000_000), Memory: size(32 << 20)},
			change: func(*Profile) {},
		},
		{
			name: "every overridable limit can be raised", profile: open,
			asked: Overrides{fuel(MaxFuel), size(MaxMemory), size(MaxOutput), size(MaxOutput), wall(24 * time.Hour), size(MaxDiskQuota), files(MaxDiskFiles), size(MaxDiskQuota), files(MaxDiskDepth), files(MaxOpenFiles), files(MaxToolCalls), size(MaxToolBody), size(MaxToolBody), size(MaxToolTotal), wall(24 * time.Hour)},
			change: func(p *Profile) {
				p.Fuel, p.Memory, p.Stdout, p.Stderr = MaxFuel, MaxMemory, MaxOutput, MaxOutput
				p.Timeout, p.Disk = MaxTimeout, Disk{MaxDiskQuota, MaxDiskFiles, MaxDiskQuota, MaxDiskDepth, MaxOpenFiles}
				p.Tools = Tools{MaxToolCalls, MaxToolBody, MaxToolBody, MaxToolTotal, MaxTimeout}
			},
		},
		{
			name: "a limit that is not overridable cannot be raised", profile: strict, asked: Overrides{Fuel: fuel(500_000_001)}, class: ErrDenied,
			want: `profile "strict": fuel: 500_000_001 is above the ceiling of 500_000_000; ask for no more than that, use another profile, or let the operator add "fuel" to profiles.strict.overridable`,
		},
		{
			name: "raising memory by a byte is denied", profile: strict, asked: Overrides{Memory: size(32<<20 + 1)}, class: ErrDenied,
			want: `profile "strict": memory: 33554433B is above the ceiling of 32MiB; ask for no more than that, use another profile, or let the operator add "memory" to profiles.strict.overridable`,
		},
		{
			name: "one overridable limit opens no other", profile: memoryOnly,
			asked: Overrides{Memory: size(64 << 20), Fuel: fuel(500_000_001)}, class: ErrDenied,
			want: `profile "strict": fuel: 500_000_001 is above the ceiling of 500_000_000; ask for no more than that, use another profile, or let the operator add "fuel" to profiles.strict.overridable`,
		},
		{
			name: "stdout is not stderr", profile: strict, asked: Overrides{Stdout: size(100_001), Stderr: size(100_000)}, class: ErrDenied,
			want: `profile "strict": stdout: 100001B is above the ceiling of 100KB; ask for no more than that, use another profile, or let the operator add "stdout" to profiles.strict.overridable`,
		},
		{
			name: "stderr is not stdout", profile: strict, asked: Overrides{Stdout: size(100_000), Stderr: size(100_001)}, class: ErrDenied,
			want: `profile "strict": stderr: 100001B is above the ceiling of 100KB; ask for no more than that, use another profile, or let the operator add "stderr" to profiles.strict.overridable`,
		},
		{
			name: "all denials are reported", profile: strict,
			asked: Overrides{Timeout: wall(time.Minute), DiskQuota: size(51 << 20), DiskFiles: files(1001)}, class: ErrDenied,
			want: `profile "strict": timeout: 1m is above the ceiling of 10s; ask for no more than that, use another profile, or let the operator add "timeout" to profiles.strict.overridable
profile "strict": disk.quota: 51MiB is above the ceiling of 50MiB; ask for no more than that, use another profile, or let the operator add "disk.quota" to profiles.strict.overridable
profile "strict": disk.files: 1_001 is above the ceiling of 1_000; ask for no more than that, use another profile, or let the operator add "disk.files" to profiles.strict.overridable`,
		},
		{
			name: "zero is no limit", profile: open, asked: Overrides{Fuel: fuel(0)}, class: ErrInvalid,
			want: `profile "open": fuel: 0 is refused, as no value means unlimited; set at least 1, or leave the key out to inherit`,
		},
		{
			name: "zero memory is no limit", profile: strict, asked: Overrides{Memory: size(0)}, class: ErrInvalid,
			want: `profile "strict": memory: 0B is refused, as no value means unlimited; set at least 1MiB, or leave the key out to inherit`,
		},
		{
			name: "negative time is invalid", profile: open, asked: Overrides{Timeout: wall(-time.Second)}, class: ErrInvalid,
			want: `profile "open": timeout: -1s is below the minimum of 1ms`,
		},
		{
			name: "the most negative time is invalid", profile: open, asked: Overrides{Timeout: wall(math.MinInt64)}, class: ErrInvalid,
			want: `profile "open": timeout: -2562047h47m16.854775808s is below the minimum of 1ms`,
		},
		{
			name: "overridable does not lift the bounds of a key", profile: open, asked: Overrides{Memory: size(math.MaxUint64)}, class: ErrInvalid,
			want: `profile "open": memory: 18446744073709551615B is above the maximum of 4GiB`,
		},
		{
			name: "absurd fuel is invalid", profile: open, asked: Overrides{Fuel: fuel(math.MaxUint64)}, class: ErrInvalid,
			want: `profile "open": fuel: 18_446_744_073_709_551_615 is above the maximum of 1_000_000_000_000_000_000`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := test.profile.clone()
			got, err := test.profile.With(test.asked)
			if diff := cmp.Diff(before, test.profile); diff != "" {
				t.Errorf("the original changed (-before +after):\n%s", diff)
			}
			if test.change == nil {
				if !errors.Is(err, test.class) || err.Error() != test.want {
					t.Errorf("With: %v (of class %v: %t)\nwant %s", err, test.class, errors.Is(err, test.class), test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			test.change(before)
			if diff := cmp.Diff(before, got); diff != "" {
				t.Errorf("With (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithTightensOnlyOnce(t *testing.T) {
	strict, err := Builtin().Profile("strict")
	if err != nil {
		t.Fatal(err)
	}
	low, high := uint64(1000), uint64(2000)
	tight, err := strict.With(Overrides{Fuel: &low})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tight.With(Overrides{Fuel: &high}); !errors.Is(err, ErrDenied) {
		t.Errorf("raising a tightened limit: %v, want an ErrDenied", err)
	}
}

func TestWithEnv(t *testing.T) {
	strict, err := Builtin().Profile("strict")
	if err != nil {
		t.Fatal(err)
	}
	got, err := strict.WithEnv(map[string]string{"LANG": "de_DE.UTF-8", "A": ""})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"LANG": "de_DE.UTF-8", "A": ""}, got.Env); diff != "" {
		t.Errorf("env (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"LANG": "C.UTF-8"}, strict.Env); diff != "" {
		t.Errorf("the original changed (-before +after):\n%s", diff)
	}
	if _, err := (&Profile{}).WithEnv(map[string]string{"A": "1"}); err != nil {
		t.Errorf("a profile without an environment: %v", err)
	}

	many := map[string]string{}
	for i := range MaxEnv {
		many[strings.Repeat("x", 1+i%100)+string(rune('A'+i/100))] = ""
	}
	bad := []struct {
		name string
		vars map[string]string
		want string
	}{
		{"no name", map[string]string{"": "1"}, `env: a variable has no name`},
		{"equals sign in a name", map[string]string{"A=B": "1"}, `env: name "A=B" holds a '=', a NUL or invalid UTF-8, which no variable can`},
		{"NUL in a name", map[string]string{"A\x00": "1"}, `env: name "A\x00" holds a '=', a NUL or invalid UTF-8, which no variable can`},
		{"NUL in a value", map[string]string{"A": "\x00"}, `env: the value of "A" holds a NUL or invalid UTF-8, which no variable can`},
		{"invalid UTF-8 in a value", map[string]string{"A": "\xff"}, `env: the value of "A" holds a NUL or invalid UTF-8, which no variable can`},
		{"long name", map[string]string{strings.Repeat("A", 129): "1"}, `env: a name of 129 bytes is above the maximum of 128`},
		{"long value", map[string]string{"A": strings.Repeat("1", 32769)}, `env: the value of "A" has 32769 bytes, above the maximum of 32768; mount a file instead`},
		{"too many", many, `env: 257 variables are above the maximum of 256`},
	}
	for _, test := range bad {
		t.Run(test.name, func(t *testing.T) {
			_, err := strict.WithEnv(test.vars)
			if !errors.Is(err, ErrInvalid) || err.Error() != test.want {
				t.Errorf("WithEnv: %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestWithMounts(t *testing.T) {
	base := &Profile{Name: "x", Mounts: []Mount{{Host: "/srv/data", Guest: "/data"}, {Host: "/srv/z", Guest: "/z"}}}
	got, err := base.WithMounts(Mount{Host: "/srv/m", Guest: "/m", Writable: true}, Mount{Host: "/srv/data/sub", Guest: "/data", Writable: false})
	if err != nil {
		t.Fatal(err)
	}
	want := []Mount{{Host: "/srv/data/sub", Guest: "/data", Writable: false}, {Host: "/srv/m", Guest: "/m", Writable: true}, {Host: "/srv/z", Guest: "/z", Writable: false}}
	if diff := cmp.Diff(want, got.Mounts); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
	if base.Mounts[0].Host != "/srv/data" || len(base.Mounts) != 2 {
		t.Errorf("the original changed: %v", base.Mounts)
	}
	bad := []struct {
		name  string
		extra []Mount
		want  string
	}{
		{"relative host", []Mount{{Host: "m", Guest: "/m", Writable: false}}, `mount "/m": host directory "m" is not absolute`},
		{"host root", []Mount{{Host: "/", Guest: "/m", Writable: false}}, `mount "/m": host directory is the root of the host; mount only the directory that is needed`},
		{"workspace", []Mount{{Host: "/srv/m", Guest: "/app", Writable: false}}, `mount "/app": guest path "/app" is reserved for the workspace; choose another, such as "/data"`},
		{"the same guest path twice", []Mount{{Host: "/srv/m", Guest: "/m", Writable: false}, {Host: "/srv/n", Guest: "/m", Writable: false}}, `mount "/m" is given twice; keep one`},
		{"below a mount of the profile", []Mount{{Host: "/srv/m", Guest: "/data/m", Writable: false}}, `mount "/data/m": guest path "/data/m" overlaps with "/data"; mount them side by side`},
		{"the host directory of a mount of the profile", []Mount{{Host: "/srv", Guest: "/m", Writable: false}}, `mount "/m": host directory "/srv" overlaps with "/srv/data", which is mounted at "/data"; mount each directory once`},
	}
	for _, test := range bad {
		t.Run(test.name, func(t *testing.T) {
			_, err := base.WithMounts(test.extra...)
			if !errors.Is(err, ErrInvalid) || err.Error() != test.want {
				t.Errorf("WithMounts: %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestMemoryPagesRoundDown(t *testing.T) {
	tests := []struct {
		memory Bytes
		want   uint32
	}{
		{1 << 20, 16},
		{1<<20 + 65535, 16},
		{128e6, 1953},
		{4 << 30, 65536},
		{math.MaxUint64, 65536},
	}
	for _, test := range tests {
		if got := (&Profile{Memory: test.memory}).MemoryPages(); got != test.want {
			t.Errorf("MemoryPages of %v = %d, want %d", test.memory, got, test.want)
		}
	}
}
