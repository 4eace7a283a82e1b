"""What a template makes, and what it refuses, for one choice of its parameters."""

import re
from collections.abc import Callable
from typing import Any

from templates import as_list

# Values that every stack has without a parameter.
STACK = {"AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333", "AWS::Partition": "aws", "AWS::NoValue": None}
# What needs only the values of its arguments. Text is compared: a Number parameter of 0 equals "0".
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "Fn::Equals": lambda values: len({str(each) for each in values}) == 1,
    "Fn::Not": lambda values: not values[0],
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Contains": lambda values: values[1] in values[0],
    "Fn::Split": lambda values: values[1].split(values[0]),
    "Fn::Select": lambda values: values[1][int(values[0])],
    "Fn::Join": lambda values: values[0].join(values[1]),
}


class Chosen:
    """A template with the values of its parameters; those that are not given have their defaults."""

    def __init__(self, content: dict[str, Any], **given: Any) -> None:
        declared = content.get("Parameters", {})
        if unknown := given.keys() - declared.keys():
            raise KeyError(f"no such parameters: {sorted(unknown)}")
        self._content = content
        self._declared = declared
        self._values = {name: each.get("Default") for name, each in declared.items()} | given

    def made(self) -> dict[str, dict[str, Any]]:
        """Return the resources that are made, by logical name."""
        return {
            name: each
            for name, each in self._content["Resources"].items()
            if "Condition" not in each or self.holds(each["Condition"])
        }

    def holds(self, condition: str) -> bool:
        """Tell whether a condition of the template holds."""
        return bool(self.value(self._content["Conditions"][condition]))

    def refusals(self) -> list[str]:
        """Return why CloudFormation refuses the values before anything is made; empty when it does not."""
        found = [
            assertion["AssertDescription"]
            for rule in self._content.get("Rules", {}).values()
            if "RuleCondition" not in rule or self.value(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self.value(assertion["Assert"])
        ]
        return found + [f"{name} is missing" for name, value in self._values.items() if value is None] + self._misfits()

    def _misfits(self) -> list[str]:
        return [
            f"{name}: {declared.get('ConstraintDescription', 'not allowed')}"
            for name, declared in self._declared.items()
            if (value := self._values[name]) is not None
            and not (
                re.fullmatch(declared.get("AllowedPattern", r"[\s\S]*"), str(value))
                and str(value) in [str(each) for each in declared.get("AllowedValues", [value])]
            )
        ]

    def value(self, expression: Any) -> Any:  # noqa: PLR0911 - one return a function
        """
        Return what an expression comes to.

        Raises:
            KeyError: It needs something that only a deployment knows.
        """
        if isinstance(expression, list):
            return [self.value(each) for each in expression]
        if not isinstance(expression, dict) or len(expression) != 1:
            return expression
        ((function, argument),) = expression.items()
        match function:
            case "Ref":
                return STACK[argument] if argument in STACK else self._values[argument]
            case "Condition":
                return self.holds(argument)
            case "Fn::If":
                return self.value(argument[1 if self.holds(argument[0]) else 2])
            case "Fn::Sub":
                return self._filled_in(*as_list(argument))
        return FUNCTIONS[function](self.value(argument))

    def _filled_in(self, text: str, own: dict[str, Any] | None = None) -> str:
        known = STACK | self._values | {name: self.value(each) for name, each in (own or {}).items()}
        return re.sub(r"\$\{([^!}]+)\}", lambda found: str(known[found.group(1)]), text)
