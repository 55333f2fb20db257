package main

import (
	_ "k8s.io/client-go/tools/leaderelection"
	_ "sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func main() {}
