package runtimes

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits on archives, which come from outside and are read before their module
// can be checked.
const (
	maxUnpacked = 1 << 30 // bytes unpacked in the search for the member
	maxMembers  = 100_000 // entries looked at
)

// extract finds the regular file called member in a .tar.gz archive and calls
// found with its contents and its size in bytes. The first entry of that name
// counts and nothing after it is read: the pinned digest decides whether it is
// the right one. No other entry is unpacked, so links and ".." in the archive
// lead nowhere.
func extract(archive io.Reader, member string, found func(io.Reader, int64) error) error {
	packed := &countingReader{from: archive}
	unzipped, err := gzip.NewReader(packed)
	if err != nil {
		return broken(err)
	}
	return findMember(&bombReader{from: unzipped, packed: packed}, member, found)
}

// maxRatio is how many times its size an archive may unpack to, once it has unpacked
// to bombStart bytes: real modules stay below 20.
const (
	maxRatio  = 200
	bombStart = 32 << 20
)

// errBomb refuses an archive that was made to unpack for ever.
var errBomb = fmt.Errorf("%w: the archive unpacks to more than %d times its size", ErrInvalid, maxRatio)

// bombReader reads what is unpacked of packed, and refuses to go on with a bomb.
type bombReader struct {
	from     io.Reader
	packed   *countingReader
	unpacked int64
}

func (r *bombReader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.unpacked += int64(n)
	if r.unpacked > bombStart && r.unpacked > maxRatio*r.packed.read {
		return n, errBomb
	}
	return n, err
}

type countingReader struct {
	from io.Reader
	read int64
}

func (r *countingReader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.read += int64(n)
	return n, err
}

// findMember is extract for an archive that is not compressed.
func findMember(archive io.Reader, member string, found func(io.Reader, int64) error) error {
	capped := &io.LimitedReader{R: archive, N: maxUnpacked}
	reader := tar.NewReader(capped)
	var names []string
	for range maxMembers {
		header, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF) && capped.N > 0:
			return fmt.Errorf("%w: there is no %s in the archive%s", ErrInvalid, quote(member), didYouMean(member, names))
		case capped.N == 0:
			return fmt.Errorf("%w: the archive unpacks to more than %d MiB", ErrInvalid, maxUnpacked>>20)
		case errors.Is(err, errBomb):
			return errBomb
		case err != nil:
			return broken(err)
		}
		name := strings.TrimPrefix(header.Name, "./")
		if name == member {
			return takeMember(reader, header, found)
		}
		if header.Typeflag == tar.TypeReg && len(names) < 1000 {
			names = append(names, name)
		}
	}
	return fmt.Errorf("%w: the archive has more than %d entries", ErrInvalid, maxMembers)
}

func takeMember(reader io.Reader, header *tar.Header, found func(io.Reader, int64) error) error {
	switch {
	case header.Typeflag != tar.TypeReg:
		return fmt.Errorf("%w: %s in the archive is not a regular file", ErrInvalid, quote(header.Name))
	case header.Size > maxModule:
		return tooLarge()
	}
	return found(archiveReader{reader}, header.Size)
}

// archiveReader names the archive as the culprit when reading it fails.
type archiveReader struct{ from io.Reader }

func (r archiveReader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errBomb) {
		err = broken(err)
	}
	return n, err
}

// broken says that an archive cannot be read. A transfer that was cut short is
// the usual cause, so the class is [ErrUnavailable]: trying again may help.
func broken(err error) error {
	return unavailable("the archive is damaged or was cut short: %w", err)
}
