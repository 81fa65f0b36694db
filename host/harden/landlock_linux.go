package harden

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Rights as the kernel names them, by what they are granted on.
const (
	readFile  = ll.AccessFSReadFile
	writeFile = ll.AccessFSWriteFile | ll.AccessFSTruncate
	readDir   = readFile | ll.AccessFSReadDir
	writeDir  = readDir | writeFile | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile |
		ll.AccessFSMakeDir | ll.AccessFSMakeReg | ll.AccessFSRefer
)

// oldestABI is the first version of Landlock in which a file can be moved from one
// directory to another at all. Below it, programs would fail on one kernel at what
// they may do on the next.
const oldestABI = 2

// accessVersion is the version of Landlock that go-landlock will use: it takes 6 for
// 5 where signals between the threads of one process would be refused too, a mistake
// of early kernels (https://docs.kernel.org/userspace-api/landlock.html#errata).
func accessVersion() (int, error) {
	version, err := ll.LandlockGetABIVersion()
	if err != nil || version < 6 {
		return version, err
	}
	const signalsFixed = 0x2
	if errata, err := ll.LandlockGetErrata(); err != nil || errata&signalsFixed == 0 {
		return 5, nil
	}
	return version, nil
}

// accessible says why Landlock cannot be used, if it cannot.
func accessible() error {
	version, err := accessVersion()
	switch {
	case err != nil:
		return unavailable(err)
	case version < oldestABI:
		return fmt.Errorf("ABI %d is too old, since files could not be moved between directories; Linux 5.19 has ABI %d", version, oldestABI)
	}
	return nil
}

// accessDetail says what Landlock covers on this kernel.
func accessDetail() string {
	version, _ := accessVersion()
	covers := []string{"files"}
	for _, c := range []struct {
		since int
		what  string
	}{{3, "truncation"}, {4, "TCP"}, {5, "devices"}, {6, "signals and abstract sockets"}, {9, "socket files"}, {10, "UDP"}} {
		if version >= c.since {
			covers = append(covers, c.what)
		}
	}
	return fmt.Sprintf("ABI %d: %s", version, strings.Join(covers, ", "))
}

// namesAndCertificates are the files by which Go finds the addresses of names and
// checks certificates, on the distributions we know. Those that are there count.
var namesAndCertificates = []string{
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols", "/etc/gai.conf",
	"/etc/ssl", "/etc/pki", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/etc/ca-certificates",
}

// restrictAccess has Landlock refuse all threads what o does not grant.
func restrictAccess(o Options) error {
	config := landlock.V11.BestEffort()
	read := o.Read
	if o.Network {
		config.HandledAccessNet = 0
		read = slices.Concat(namesAndCertificates, read)
	}
	var rules []landlock.Rule
	for _, grant := range []struct {
		paths     []string
		file, dir landlock.AccessFSSet
	}{
		{read, readFile, readDir},
		{o.Execute, readFile | ll.AccessFSExecute, readDir | ll.AccessFSExecute},
		{o.Write, readFile | writeFile, writeDir},
		{o.Temporary, readFile | writeFile, writeDir},
		{parents(o.Temporary), 0, ll.AccessFSRemoveDir},
	} {
		for _, path := range grant.paths {
			if rule := allow(path, grant.file, grant.dir); rule != nil {
				rules = append(rules, rule)
			}
		}
	}
	return config.Restrict(rules...)
}

// allow grants file on path, or dir if it is a directory. It returns nil where nothing
// can be reached, or there is nothing to grant: whoever opens path will say so best.
func allow(path string, file, dir landlock.AccessFSSet) landlock.Rule {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	rights := file
	if info.IsDir() {
		rights = dir
	}
	if rights == 0 {
		return nil
	}
	return landlock.PathAccess(rights, path).IgnoreIfMissing()
}

// parents are the directories that paths lie in, behind all symbolic links.
func parents(paths []string) []string {
	var dirs []string
	for _, path := range paths {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Join(real, ".."))
		}
	}
	return dirs
}
