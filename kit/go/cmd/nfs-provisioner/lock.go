package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

// endpointsLock is a leader election record in an annotation of an Endpoints object. client-go has dropped this lock, and
// it is the only one the reference RBAC allows. Like every resourcelock it is for one elector, not for concurrent use.
type endpointsLock struct {
	client    typedcorev1.EndpointsGetter
	namespace string
	name      string
	identity  string
	events    record.EventRecorder

	// endpoints is the object as last seen. Its resource version makes an update fail that somebody else got ahead of.
	endpoints *corev1.Endpoints
}

var _ resourcelock.Interface = (*endpointsLock)(nil)

// Get reads the record. An object without one is a lock that nobody has held yet.
func (l *endpointsLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	endpoints, err := l.client.Endpoints(l.namespace).Get(ctx, l.name, metav1.GetOptions{})
	if err != nil {
		return nil, nil, err
	}
	l.endpoints = endpoints
	election := &resourcelock.LeaderElectionRecord{}
	raw := []byte(endpoints.Annotations[resourcelock.LeaderElectionRecordAnnotationKey])
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, election); err != nil {
			return nil, nil, fmt.Errorf("read the election record of Endpoints %s: %w", l.Describe(), err)
		}
	}
	return election, raw, nil
}

// Create makes the object with the record in it.
func (l *endpointsLock) Create(ctx context.Context, election resourcelock.LeaderElectionRecord) error {
	raw, err := json.Marshal(election)
	if err != nil {
		return err
	}
	created, err := l.client.Endpoints(l.namespace).Create(ctx, &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{
			Name:        l.name,
			Namespace:   l.namespace,
			Annotations: map[string]string{resourcelock.LeaderElectionRecordAnnotationKey: string(raw)},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	l.endpoints = created
	return nil
}

// Update writes the record into the object as last seen.
func (l *endpointsLock) Update(ctx context.Context, election resourcelock.LeaderElectionRecord) error {
	if l.endpoints == nil {
		return errors.New("the lock has to be read or created before it is updated")
	}
	raw, err := json.Marshal(election)
	if err != nil {
		return err
	}
	wanted := l.endpoints.DeepCopy()
	metav1.SetMetaDataAnnotation(&wanted.ObjectMeta, resourcelock.LeaderElectionRecordAnnotationKey, string(raw))
	updated, err := l.client.Endpoints(l.namespace).Update(ctx, wanted, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	l.endpoints = updated
	return nil
}

// RecordEvent notes on the object who began or ceased to lead.
func (l *endpointsLock) RecordEvent(what string) {
	subject := &corev1.Endpoints{
		TypeMeta:   metav1.TypeMeta{Kind: "Endpoints", APIVersion: corev1.SchemeGroupVersion.String()},
		ObjectMeta: l.endpoints.ObjectMeta,
	}
	l.events.Eventf(subject, corev1.EventTypeNormal, "LeaderElection", "%s %s", l.identity, what)
}

// Identity names this candidate.
func (l *endpointsLock) Identity() string { return l.identity }

// Describe names the lock.
func (l *endpointsLock) Describe() string { return l.namespace + "/" + l.name }
