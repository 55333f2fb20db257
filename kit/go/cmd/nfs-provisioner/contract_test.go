package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestExpandPattern(t *testing.T) {
	pvc := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Namespace:   "shop",
		Name:        "data",
		Labels:      map[string]string{"app": "mysql", "example.com/tier": "gold"},
		Annotations: map[string]string{"nfs.io/storage-path": "a/b", "climb": "a/../b"},
	}}
	tests := []struct{ name, pattern, want string }{
		{"namespace and name", "${.PVC.namespace}/${.PVC.name}", "shop/data"},
		{"label", "${.PVC.labels.app}", "mysql"},
		{"label with prefix", "${.PVC.labels.example.com/tier}", "gold"},
		{"annotation with slash", "${.PVC.annotations.nfs.io/storage-path}", "a/b"},
		{"text around", "pre-${.PVC.name}-post", "pre-data-post"},
		{"no placeholder", "fixed", "fixed"},
		{"missing label is empty", "x${.PVC.labels.nope}y", "xy"},
		{"missing annotation is empty", "${.PVC.annotations.nope}", ""},
		{"unknown key is empty", "x${.PVC.uid}y", "xy"},
		{"unknown object is empty", "x${.PV.name}y", "xy"},
		{"values are not checked", "${.PVC.annotations.climb}", "a/../b"},
		{"without the dot it is text", "${PVC.name}", "${PVC.name}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := expandPattern(test.pattern, pvc); got != test.want {
				t.Errorf("expandPattern(%q) = %q, want %q", test.pattern, got, test.want)
			}
		})
	}
}
