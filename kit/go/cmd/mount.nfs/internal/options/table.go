package options

import (
	"math"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

type option struct {
	values string // what it takes, see fits; "": nothing
	apply  func(p *parser, value string) error
}

func version(p *parser, value string) error {
	switch value {
	case "4":
		p.Minors = []uint32{2, 1, 0}
	case "4.0", "4.1", "4.2":
		minor := uint32(value[2] - '0')
		p.Minors, p.minor = []uint32{minor}, nil
	case "2", "3":
		return errUnsupported
	default:
		return errIncorrect
	}
	return nil
}

func versionNamed(value string) option {
	return option{apply: func(p *parser, _ string) error { return version(p, value) }}
}

func transport(p *parser, value string) error {
	switch value {
	case "tcp", "tcp6":
		return nil
	case "udp", "udp6", "rdma", "rdma6":
		return errUnsupported
	}
	return errIncorrect
}

func transportNamed(value string) option {
	return option{apply: func(p *parser, _ string) error { return transport(p, value) }}
}

func security(p *parser, value string) error {
	switch value {
	case "sys":
		return nil
	case "none", "krb5", "krb5i", "krb5p":
		return errUnsupported
	}
	return errIncorrect
}

// allTimes is actimeo, and forgets what narrower options said before.
func allTimes(p *parser, d time.Duration) {
	p.FileAttributes, p.DirAttributes = d, d
	p.regMin, p.regMax, p.dirMin, p.dirMax = nil, nil, nil, nil
}

func timeLimit(which func(*parser) **time.Duration) option {
	return option{"#", func(p *parser, value string) error {
		d, err := seconds(value)
		*which(p) = &d
		return err
	}}
}

func localLocks(posix, flock bool) option {
	return option{apply: func(p *parser, _ string) error {
		p.LocalPosix, p.LocalFlock = posix, flock
		return nil
	}}
}

func soft(yes bool) option {
	return option{apply: func(p *parser, _ string) error { p.Soft = yes; return nil }}
}

func refuseRemount(*parser, string) error { return errRemount }

var table = map[string]option{
	"ac": {apply: func(p *parser, _ string) error { allTimes(p, defaultCache); return nil }},
	"noac": {apply: func(p *parser, _ string) error { // as the kernel: others see writes at once, too
		allTimes(p, 0)
		p.Flags |= unix.MS_SYNCHRONOUS
		return nil
	}},
	"actimeo": {"#", func(p *parser, value string) error {
		d, err := seconds(value)
		allTimes(p, d)
		return err
	}},
	"acregmin": timeLimit(func(p *parser) **time.Duration { return &p.regMin }),
	"acregmax": timeLimit(func(p *parser) **time.Duration { return &p.regMax }),
	"acdirmin": timeLimit(func(p *parser) **time.Duration { return &p.dirMin }),
	"acdirmax": timeLimit(func(p *parser) **time.Duration { return &p.dirMax }),
	// That a name does not exist is never kept.
	"lookupcache": {"all|none|pos|positive", func(p *parser, value string) error {
		p.namesNever = value == "none"
		return nil
	}},
	"cto": {}, "nocto": {},

	// Where the server is and how to speak to it.
	"port": {"#", func(p *parser, value string) error {
		n, err := number(value, math.MaxUint16)
		if n == 0 {
			n = defaultPort
		}
		p.Port = uint16(n)
		return err
	}},
	"proto": {"*", transport}, "tcp": transportNamed("tcp"), "udp": transportNamed("udp"),
	"rdma": transportNamed("rdma"),
	"vers": {"*", version}, "nfsvers": {"*", version}, "v2": versionNamed("2"),
	"v3": versionNamed("3"), "v4": versionNamed("4"), "v4.0": versionNamed("4.0"),
	"v4.1": versionNamed("4.1"), "v4.2": versionNamed("4.2"),
	"minorversion": {"0|1|2", func(p *parser, value string) error {
		minor := uint32(value[0] - '0')
		p.minor = &minor
		return nil
	}},
	"sec": {"*", func(p *parser, value string) error {
		for one := range strings.SplitSeq(value, ":") { // the first that both know would be used
			if one == "sys" {
				return nil
			}
		}
		return security(p, value)
	}},
	"addr": {values: "*"}, "clientaddr": {values: "*"}, "nconnect": {values: "#"},
	"max_connect": {values: "#"}, "trunkdiscovery": {}, "notrunkdiscovery": {},
	"resvport": {}, "noresvport": {}, "xprtsec": {values: "none"},

	// When the server does not answer. Mounting is always done in the foreground.
	"retry": {"#", func(p *parser, value string) error {
		n, err := number(value, math.MaxUint16)
		p.Retry = time.Duration(n) * time.Minute
		return err
	}},
	"hard": soft(false), "soft": soft(true), "softerr": soft(true),
	"softreval": {}, "nosoftreval": {}, "intr": {}, "nointr": {}, "fg": {}, "bg": {},
	"timeo": {"#", func(p *parser, value string) error { // in tenths of a second
		n, err := number(value, math.MaxUint32)
		if n == 0 {
			return errIncorrect
		}
		p.Timeo = time.Duration(n) * time.Second / 10
		return err
	}},
	"retrans": {"#", func(p *parser, value string) error {
		n, err := number(value, math.MaxUint16)
		p.Retrans = int(n)
		return err
	}},

	"rsize": {"#", func(p *parser, value string) (err error) {
		p.RSize, err = transfer(value)
		return err
	}},
	"wsize": {"#", func(p *parser, value string) (err error) {
		p.WSize, err = transfer(value)
		return err
	}},
	"namlen": {values: "#"}, "write": {values: "lazy|eager|wait"}, "rdirplus": {}, "nordirplus": {},

	"lock": localLocks(false, false), "nolock": localLocks(true, true),
	"local_lock": {"all|flock|posix|none", func(p *parser, value string) error {
		p.LocalPosix = value == "all" || value == "posix"
		p.LocalFlock = value == "all" || value == "flock"
		return nil
	}},

	"acl": {}, "noacl": {}, "fsc": {}, "nofsc": {}, "sharecache": {}, "nosharecache": {},
	"migration": {}, "nomigration": {},

	// Those of NFSv3's mount protocol, which users carry along.
	"mountport": {values: "#"}, "mountproto": {values: "*"}, "mounthost": {values: "*"},
	"mountvers": {values: "#"}, "mountaddr": {values: "*"},

	// Those the kernel honours for every file system, and shows.
	"ro": flag(unix.MS_RDONLY), "rw": noFlag(unix.MS_RDONLY),
	"nosuid": flag(unix.MS_NOSUID), "suid": noFlag(unix.MS_NOSUID),
	"nodev": flag(unix.MS_NODEV), "dev": noFlag(unix.MS_NODEV),
	"noexec": flag(unix.MS_NOEXEC), "exec": noFlag(unix.MS_NOEXEC),
	"sync": flag(unix.MS_SYNCHRONOUS), "async": noFlag(unix.MS_SYNCHRONOUS),
	"dirsync": flag(unix.MS_DIRSYNC),
	"silent":  flag(unix.MS_SILENT), "loud": noFlag(unix.MS_SILENT),
	"noatime": atime(unix.MS_NOATIME), "atime": atime(0),
	"relatime": atime(unix.MS_RELATIME), "norelatime": atime(0),
	"strictatime": atime(unix.MS_STRICTATIME), "nostrictatime": atime(0),
	"nodiratime": flag(unix.MS_NODIRATIME), "diratime": noFlag(unix.MS_NODIRATIME),
	"lazytime": flag(unix.MS_LAZYTIME), "nolazytime": noFlag(unix.MS_LAZYTIME),

	// Those for mount(8) and systemd.
	"defaults": {}, "auto": {}, "noauto": {}, "user": {}, "nouser": {}, "users": {},
	"nousers": {}, "owner": {}, "noowner": {}, "group": {}, "nogroup": {}, "_netdev": {},
	"nofail": {}, "comment": {values: "*"}, "sloppy": {},

	"remount": {apply: refuseRemount},
}
