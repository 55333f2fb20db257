"""What the rules rest on. Paths that begin with landfast/ or docs/ are this repository's."""

_KUBERNETES = "Kubernetes v1.37"
CONTROLLER = f"{_KUBERNETES}, pkg/controller/volume/persistentvolume/pv_controller.go"
MATCHING = (
    "k8s.io/component-helpers v0.37, storage/volume/pv_helpers.go, FindMatchingVolume; "
    "docs/binding.md"
)
DEFAULT_CLASS = f"{_KUBERNETES}, pkg/volume/util/storageclass.go, GetDefaultClass; docs/binding.md"
PATHS = (
    f"{_KUBERNETES}, pkg/apis/core/validation/validation.go, validateNFSVolumeSource: "
    "no path is compared with another volume's"
)
NOT_ATTACHED = f"{_KUBERNETES}, pkg/volume/nfs/nfs.go: NFS volumes are not attached to a node"
DOCUMENTATION = "Kubernetes documentation, Persistent Volumes, Reclaiming"
CONTRACT = (
    "nfs-subdir-external-provisioner v4.0.2, provisioner.go; landfast/provisioning/contract.py"
)
VOLUMES = "Kubernetes documentation, Volumes, emptyDir; Ephemeral Volumes, Lifecycle"
IMAGE_VOLUMES = (
    "Dockerfile reference, VOLUME; containerd, internal/cri/server/container_create.go, "
    "volumeMounts; crio.conf(5), image_volumes: there it is a plain directory by default"
)
FORCE_DELETE = "Kubernetes documentation, Force Delete StatefulSet Pods"
POSTGRESQL_LOCK = (
    "PostgreSQL documentation, Shutting Down the Server; postmaster, src/backend/utils/init/"
    "miscinit.c, CreateLockFile"
)
NFS_OWNERSHIP = (
    "Kubernetes API reference, NFSVolumeSource: NFS volumes do not support ownership management"
)
ROOT_SQUASH = "exports(5), User ID Mapping, root_squash"
GANESHA = (
    "nfs-ganesha-server-and-external-provisioner, its page Deployment: local file systems only, "
    "a nodeSelector for hostPath, one pod for each Service"
)
REEXPORT = "Linux, Documentation/filesystems/nfs/reexport.rst, Reboot recovery"
