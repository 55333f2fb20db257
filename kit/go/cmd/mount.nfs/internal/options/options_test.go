package options

import (
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestOptionsHaveTheirEffect(t *testing.T) {
	for text, change := range map[string]func(*Options){
		"":                          func(*Options) {},
		",,hard,":                   func(*Options) {},
		"port=0":                    func(*Options) {},
		"port=20049":                func(o *Options) { o.Port = 20049 },
		"vers=4":                    func(*Options) {},
		"vers=4.1":                  func(o *Options) { o.Minors = []uint32{1} },
		"nfsvers=4.0":               func(o *Options) { o.Minors = []uint32{0} },
		"v4.2":                      func(o *Options) { o.Minors = []uint32{2} },
		"vers=4,minorversion=1":     func(o *Options) { o.Minors = []uint32{1} },
		"minorversion=0,vers=4.2":   func(o *Options) { o.Minors = []uint32{2} },
		"soft,timeo=5,retrans=1":    func(o *Options) { o.Soft, o.Timeo, o.Retrans = true, time.Second/2, 1 },
		"soft,hard":                 func(*Options) {},
		"rsize=65536,wsize=1000000": func(o *Options) { o.RSize, o.WSize = 65536, 999424 },
		"rsize=1,wsize=9999999":     func(*Options) {},
		"nolock":                    func(o *Options) { o.LocalPosix, o.LocalFlock = true, true },
		"nolock,lock":               func(*Options) {},
		"local_lock=all":            func(o *Options) { o.LocalPosix, o.LocalFlock = true, true },
		"local_lock=posix":          func(o *Options) { o.LocalPosix = true },
		"local_lock=flock":          func(o *Options) { o.LocalFlock = true },
		"retry=0":                   func(o *Options) { o.Retry = 0 },
		"actimeo=30":                cached(30, 30, 30),
		"actimeo=30,acregmax=10":    cached(10, 30, 30),
		"acregmin=3,acdirmin=5":     cached(3, 5, 5),
		"acdirmax=0":                cached(1, 0, 0),
		"acregmin=3,ac":             cached(1, 1, 1),
		"lookupcache=none":          cached(1, 1, 0),
		"noac": func(o *Options) {
			cached(0, 0, 0)(o)
			o.Flags = unix.MS_SYNCHRONOUS
		},
		"ro,noexec,nosuid,nodev": func(o *Options) {
			o.Flags = unix.MS_RDONLY | unix.MS_NOEXEC | unix.MS_NOSUID | unix.MS_NODEV
		},
		"ro,rw":                        func(*Options) {},
		"noatime":                      func(o *Options) { o.Flags = unix.MS_NOATIME },
		"noatime,relatime":             func(o *Options) { o.Flags = unix.MS_RELATIME },
		"proto=tcp,tcp,sec=sys,bg":     func(*Options) {},
		"sec=krb5:sys":                 func(*Options) {},
		"addr=1.2.3.4,clientaddr=::":   func(*Options) {},
		"x-systemd.automount,X-a=b":    func(*Options) {},
		"sloppy,whatever,more=less":    func(*Options) {},
		"_netdev,nofail,comment=hi":    func(*Options) {},
		"nconnect=4,lookupcache=pos":   func(*Options) {},
		"mountproto=tcp,mountvers=3":   func(*Options) {},
		"write=eager,fsc,nosharecache": func(*Options) {},
	} {
		want, err := Parse(nil, false)
		if err != nil {
			t.Fatal(err)
		}
		change(&want)
		want.Given = text
		got, err := Parse([]string{text}, false)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v\n got %+v\nwant %+v", text, err, got, want)
		}
	}
}

func cached(file, dir, names time.Duration) func(*Options) {
	return func(o *Options) {
		o.FileAttributes = file * time.Second
		o.DirAttributes = dir * time.Second
		o.Names = names * time.Second
	}
}

func TestOptionsAreRefusedWithMountsOwnWords(t *testing.T) {
	for text, want := range map[string]error{
		"landfast-unknown": errIncorrect, "ro,unknown=1": errIncorrect, "port": errIncorrect,
		"port=": errIncorrect, "port=65536": errIncorrect, "port=-1": errIncorrect,
		"ro=1": errIncorrect, "actimeo=x": errIncorrect, "actimeo=4294967296": errIncorrect,
		"vers=5": errIncorrect, "vers=4.3": errIncorrect, "vers=3": errUnsupported,
		"v3": errUnsupported, "udp": errUnsupported, "proto=rdma": errUnsupported,
		"proto=smoke": errIncorrect, "sec=krb5": errUnsupported, "sec=mine": errIncorrect,
		"timeo=0": errIncorrect, "retrans=99999999": errIncorrect, "local_lock=some": errIncorrect,
		"minorversion=3": errIncorrect, "remount": errRemount, "x-": errIncorrect,
	} {
		if _, err := Parse([]string{text}, false); err != want {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
	}
}

func TestSloppyOptionMayComeLater(t *testing.T) {
	if _, err := Parse([]string{"unknown", "ro,sloppy"}, false); err != nil {
		t.Error(err)
	}
	if _, err := Parse([]string{"unknown"}, true); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("rw,vers=4.2,timeo=600,local_lock=none,x-a=b,,=,=x", false)
	f.Fuzz(func(t *testing.T, text string, sloppy bool) {
		o, err := Parse([]string{text}, sloppy)
		if err != nil {
			return
		}
		if len(o.Minors) == 0 || o.Port == 0 || o.Timeo <= 0 || o.Retrans < 0 || o.Retry < 0 ||
			o.RSize < 1024 || o.RSize > 1<<20 || o.WSize < 1024 || o.WSize > 1<<20 ||
			o.FileAttributes < 0 || o.DirAttributes < 0 || o.Names < 0 {
			t.Errorf("%q: %+v", text, o)
		}
	})
}
