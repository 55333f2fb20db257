"""The table of binding rules."""

from suites.conformance.binding.rules_classes import CLASSES
from suites.conformance.binding.rules_lifetime import LIFETIME
from suites.conformance.binding.rules_matching import MATCHING
from suites.conformance.binding.rules_prebound import PREBOUND
from suites.conformance.binding.rules_refused import REFUSED

RULES = [*MATCHING, *CLASSES, *PREBOUND, *LIFETIME, *REFUSED]
