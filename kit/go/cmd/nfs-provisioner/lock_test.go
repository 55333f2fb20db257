package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

// candidate runs an election until its context ends.
type candidate struct {
	lock    *endpointsLock
	stop    context.CancelFunc
	leading bool
	ended   bool
}

func startCandidate(t *testing.T, client *fake.Clientset, identity string) *candidate {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &candidate{stop: stop, lock: &endpointsLock{
		client: client.CoreV1(), namespace: "nfs-system", name: "nfs-client", identity: identity,
		events: &record.FakeRecorder{},
	}}
	go func() {
		leaderelection.RunOrDie(ctx, electionConfig(c.lock, leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				c.leading = true
				<-ctx.Done()
				c.leading = false
			},
			OnStoppedLeading: func() { c.ended = true },
		}))
	}()
	return c
}

// pass lets time go by on the bubble's clock, then everything that is due happen.
func pass(duration time.Duration) {
	time.Sleep(duration)
	synctest.Wait()
}

func holder(t *testing.T, client *fake.Clientset) string {
	t.Helper()
	lock := &endpointsLock{client: client.CoreV1(), namespace: "nfs-system", name: "nfs-client"}
	election, _, err := lock.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return election.HolderIdentity
}

func TestOneOfTwoCandidatesLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		first, second := startCandidate(t, client, "first"), startCandidate(t, client, "second")
		for range 60 {
			pass(time.Second)
			if first.leading == second.leading {
				t.Fatalf("first leads: %v, second leads: %v; want exactly one", first.leading, second.leading)
			}
		}
		first.stop()
		second.stop()
		synctest.Wait()
	})
}

func TestLockIsTakenOverAfterItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		first := startCandidate(t, client, "first")
		pass(time.Second)
		second := startCandidate(t, client, "second")
		pass(time.Second)
		if !first.leading || second.leading {
			t.Fatalf("first leads: %v, second leads: %v; want the one that came first", first.leading, second.leading)
		}

		first.stop() // It does not give the lock back: the other has to wait for the end of the lease.
		pass(leaseDuration - renewDeadline)
		if second.leading || holder(t, client) != "first" {
			t.Fatalf("second leads: %v, holder %q; the lease has not ended yet", second.leading, holder(t, client))
		}
		// A candidate looks again after up to 2.2 retry periods: once to see the last renewal, once after the lease.
		pass(leaseDuration + 5*retryPeriod)
		if !second.leading || holder(t, client) != "second" {
			t.Fatalf("second leads: %v, holder %q; want it to have taken over", second.leading, holder(t, client))
		}
		second.stop()
		synctest.Wait()
	})
}

func TestLostLockEndsTheElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		first := startCandidate(t, client, "first")
		pass(time.Second)
		thief := &endpointsLock{client: client.CoreV1(), namespace: "nfs-system", name: "nfs-client"}
		election, _, err := thief.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		election.HolderIdentity = "thief"
		election.RenewTime = metav1.Now()
		// client-go's fake does not compare resource versions, so the true holder's next optimistic update would win.
		first.lock.endpoints = nil
		if err := thief.Update(t.Context(), *election); err != nil {
			t.Fatal(err)
		}
		pass(renewDeadline + 2*retryPeriod)
		if first.leading || !first.ended {
			t.Fatalf("leading: %v, ended: %v; a candidate that lost its lock has to end", first.leading, first.ended)
		}
		first.stop()
		synctest.Wait()
	})
}

func TestLockIsAnAnnotationOfEndpoints(t *testing.T) {
	client := fake.NewClientset()
	lock := &endpointsLock{client: client.CoreV1(), namespace: "nfs-system", name: "nfs-client", identity: "me"}
	if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{}); err == nil {
		t.Error("a lock that was never read can be updated")
	}
	if err := lock.Create(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me", LeaseDurationSeconds: 15}); err != nil {
		t.Fatal(err)
	}
	endpoints, err := client.CoreV1().Endpoints("nfs-system").Get(t.Context(), "nfs-client", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const key = "control-plane.alpha.kubernetes.io/leader"
	if len(endpoints.Annotations[key]) == 0 {
		t.Fatalf("annotations = %v, want the record under %s", endpoints.Annotations, key)
	}
	delete(endpoints.Annotations, key)
	if _, err := client.CoreV1().Endpoints("nfs-system").Update(t.Context(), endpoints, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if election, _, err := lock.Get(t.Context()); err != nil || election.HolderIdentity != "" {
		t.Fatalf("record = %+v, %v; want that of a lock nobody holds", election, err)
	}
}
