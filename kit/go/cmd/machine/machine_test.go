package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// served returns a folder whose requests an agent answers.
func served(t *testing.T) share {
	t.Helper()
	shared := share(t.TempDir())
	if err := os.Mkdir(shared.requests(), 0o755); err != nil {
		t.Fatal(err)
	}
	bell, err := shared.makeBell()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bell.Close() })
	go serve(shared, bell) // until the bell is gone
	for {
		if _, err := os.Stat(shared.booted()); err == nil {
			return shared
		}
		time.Sleep(time.Millisecond)
	}
}

// ask returns what came of a request, and its output.
func ask(t *testing.T, shared share, asked request, stdin string) (code int, stdout, stderr string) {
	t.Helper()
	folder, err := shared.submit(asked, strings.NewReader(stdin))
	if err != nil {
		t.Fatal(err)
	}
	var got result
	for readJSON(filepath.Join(folder, resultFile), &got) != nil {
		time.Sleep(time.Millisecond)
	}
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	return got.Code, read(stdoutFile), read(stderrFile)
}

func TestAProgramRunsWithItsInputVariablesAndFolder(t *testing.T) {
	asked := request{Argv: []string{"sh", "-c", "pwd; echo $ONE; cat; echo bad >&2; exit 3"}, Env: []string{"ONE=1"}, Directory: "/"}
	code, stdout, stderr := ask(t, served(t), asked, "given")
	if code != 3 || stdout != "/\n1\ngiven" || stderr != "bad\n" {
		t.Errorf("got %d, %q, %q", code, stdout, stderr)
	}
}

func TestExitCodesAreThoseOfAShell(t *testing.T) {
	shared := served(t)
	for want, argv := range map[int][]string{
		notFound:      {"no-such-program"},
		notExecutable: {"/etc/passwd"},
		signalled + 9: {"sh", "-c", "kill -KILL $$"},
	} {
		if code, _, stderr := ask(t, shared, request{Argv: argv}, ""); code != want || want < signalled && stderr == "" {
			t.Errorf("%q: got %d, %q, want %d", argv, code, stderr, want)
		}
	}
}

func TestAProgramsOwnChildrenDoNotKeepItsResultBack(t *testing.T) {
	code, stdout, _ := ask(t, served(t), request{Argv: []string{"sh", "-c", "sleep 5 & echo done"}}, "")
	if code != 0 || stdout != "done\n" {
		t.Errorf("got %d, %q", code, stdout)
	}
}

func TestARequestThatCannotBeReadIsAnsweredWithTheReason(t *testing.T) {
	shared := served(t)
	folder := filepath.Join(shared.requests(), "request-empty")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := shared.ring(); err != nil {
		t.Fatal(err)
	}
	var got result
	for readJSON(filepath.Join(folder, resultFile), &got) != nil {
		time.Sleep(time.Millisecond)
	}
	if !strings.Contains(got.Reason, requestFile) {
		t.Errorf("got %v", got)
	}
}

func TestExecSaysThatTheMachineHasNotBooted(t *testing.T) {
	err := execute(share(t.TempDir()), []string{"true"})
	if coded, ok := err.(exitError); !ok || coded.code != notRun {
		t.Errorf("got %v", err)
	}
}

func TestTheKernelIsToldItsIdentity(t *testing.T) {
	me := identity{name: "worker", address: "10.1.2.3/24", gateway: "10.1.2.1"}
	mac, _ := net.ParseMAC("02:00:00:00:00:01")
	argv := commandLine(me, mac, "1G", "ncpus=2 seccomp=on")
	if got := readIdentity(strings.Join(argv, " ") + "\n"); got != me {
		t.Errorf("got %v, want %v", got, me)
	}
	for _, want := range []string{"mem=1G", "ncpus=2", "seccomp=on"} {
		if !slices.Contains(argv, want) {
			t.Errorf("%q lacks %q", argv, want)
		}
	}
}

func TestAPanicIsSeenOnTheConsole(t *testing.T) {
	console := "Booting\r\nKernel panic - not syncing: VFS: no root\r\nCPU: 0\r\n"
	words, shown := make(chan string, 1), &bytes.Buffer{}
	watch(strings.NewReader(console), shown, words)
	if got := <-words; got != "Kernel panic - not syncing: VFS: no root" || shown.String() != console {
		t.Errorf("got %q, shown %q", got, shown)
	}
}
