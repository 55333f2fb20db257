"""Whether the provisioner is one that the matrix knows."""

import pytest

from landfast.provisioning.detection import detect
from landfast.stack import Stack
from landfast.steps import Steps


@pytest.mark.claim("reclaim.provisioner-follows-a-contract")
def test_provisioner_follows_the_contract_of_one_line(provisioner: Stack, test: Steps) -> None:
    with test.verify("the provisioner makes volumes under three classes; delete their PVCs"):
        detection = detect(provisioner)
    for probe in detection.probes:
        test.observe(f"{probe.name}: {probe.seen}")
    if detection.line is None:
        pytest.fail(f"the provisioner follows {detection}")
