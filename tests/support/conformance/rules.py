"""All rules, in the order in which a record meets them."""

from conformance import deliveries, puts, transforms
from conformance.rule import Rule

RULES = tuple(
    found for module in (puts, transforms, deliveries) for found in vars(module).values() if isinstance(found, Rule)
)
