// Package options reads the options of nfs(5), and those of mount(8) that reach a mount helper.
package options

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	defaultPort    = 2049
	defaultRetry   = 2 * time.Minute
	defaultTimeo   = 60 * time.Second
	defaultRetrans = 2
	transferBytes  = 1 << 20
	// One second for attributes and names is less than the kernel's 3 to 60: databases in pods
	// of several nodes are to see each other's files soon, and the server is never far.
	defaultCache = time.Second
)

// Options are what the options of one mount mean.
type Options struct {
	Port           uint16
	Minors         []uint32 // minor versions of NFSv4 to try, the best first
	Retry          time.Duration
	Soft           bool
	Timeo          time.Duration
	Retrans        int
	RSize, WSize   uint32
	LocalPosix     bool // fcntl(2)'s locks stay on this node
	LocalFlock     bool
	FileAttributes time.Duration // how long the kernel may keep them
	DirAttributes  time.Duration
	Names          time.Duration
	Flags          uintptr // of mount(2)
	Given          string  // as they came
}

// The messages of mount(8), each the end of a sentence that begins "mount.nfs: ".
var (
	errIncorrect = errors.New("an incorrect mount option was specified")
	//lint:ignore ST1005 as mount(8) says it
	errUnsupported = errors.New("Protocol not supported")
	errRemount     = errors.New("a mount cannot be changed with remount, only unmounted and mounted anew")
)

// Parse reads texts of the form "name=value,name,…"; the last one of two that contradict each
// other counts. Sloppy lets unknown names pass, as does the option of that name.
func Parse(texts []string, sloppy bool) (Options, error) {
	o := Options{
		Port: defaultPort, Minors: []uint32{2, 1, 0}, Retry: defaultRetry,
		Timeo: defaultTimeo, Retrans: defaultRetrans, RSize: transferBytes, WSize: transferBytes,
		FileAttributes: defaultCache, DirAttributes: defaultCache, Names: defaultCache,
		Given: strings.Join(texts, ","),
	}
	p := parser{Options: &o}
	var all []string
	for _, text := range texts {
		all = append(all, strings.FieldsFunc(text, func(r rune) bool { return r == ',' })...)
	}
	for _, one := range all {
		sloppy = sloppy || one == "sloppy"
	}
	for _, one := range all {
		if err := p.one(one, sloppy); err != nil {
			return Options{}, err
		}
	}
	p.finish()
	return o, nil
}

// parser holds what becomes an option only together with others.
type parser struct {
	*Options
	minor          *uint32
	namesNever     bool
	regMin, regMax *time.Duration
	dirMin, dirMax *time.Duration
}

func (p *parser) one(text string, sloppy bool) error {
	name, value, given := strings.Cut(text, "=")
	if len(name) > 2 && strings.EqualFold(name[:2], "x-") { // for other programs
		return nil
	}
	option, known := table[name]
	switch {
	case !known && sloppy:
		return nil
	case !known, given != (option.values != ""), given && !fits(value, option.values):
		return errIncorrect
	case option.apply == nil:
		return nil
	}
	return option.apply(p, value)
}

func (p *parser) finish() {
	if p.minor != nil {
		p.Minors = []uint32{*p.minor}
	}
	p.FileAttributes = limit(p.FileAttributes, p.regMin, p.regMax)
	p.DirAttributes = limit(p.DirAttributes, p.dirMin, p.dirMax)
	p.Names = p.DirAttributes
	if p.namesNever {
		p.Names = 0
	}
}

// limit puts one time where the kernel moves between two: FUSE has no such clock.
func limit(d time.Duration, low, high *time.Duration) time.Duration {
	if low != nil {
		d = *low
	}
	if high != nil {
		d = min(d, *high)
	}
	return d
}

// fits tells whether value is a number, for "#", or one of "this|that"; "*" is anything.
func fits(value, values string) bool {
	switch values {
	case "*":
		return true
	case "#":
		_, err := strconv.ParseUint(value, 10, 64)
		return err == nil
	}
	for word := range strings.SplitSeq(values, "|") {
		if value == word {
			return true
		}
	}
	return false
}

// number converts what fits("#") has let through.
func number(value string, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n > most {
		return 0, errIncorrect
	}
	return n, nil
}

func seconds(value string) (time.Duration, error) {
	n, err := number(value, math.MaxUint32)
	return time.Duration(n) * time.Second, err
}

// transfer is a size of reads or writes as the kernel takes it: small ones mean the default.
func transfer(value string) (uint32, error) {
	n, err := number(value, math.MaxUint32)
	if n < 1024 || n > transferBytes {
		n = transferBytes
	}
	return uint32(n) &^ 1023, err
}

func flag(set uintptr) option {
	return option{apply: func(p *parser, _ string) error { p.Flags |= set; return nil }}
}

func noFlag(unset uintptr) option {
	return option{apply: func(p *parser, _ string) error { p.Flags &^= unset; return nil }}
}

// atime keeps the ways to treat access times apart, of which there is one at a time.
func atime(set uintptr) option {
	return option{apply: func(p *parser, _ string) error {
		p.Flags = p.Flags&^(unix.MS_NOATIME|unix.MS_RELATIME|unix.MS_STRICTATIME) | set
		return nil
	}}
}
