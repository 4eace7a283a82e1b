"""What CloudFormation would say against the value of a parameter, said before anything is called."""

import re

from deploy_aws.templates import Parameter


def problem_with(parameter: Parameter, value: str) -> str | None:
    """Return what is wrong with *value* for *parameter*, or None."""
    broken = _broken_rule(parameter, value)
    if broken is None:
        return None
    hint = f" ({parameter.constraint})" if parameter.constraint else ""
    return f"{parameter.name} is {value!r}: {broken}{hint}"


def _broken_rule(parameter: Parameter, value: str) -> str | None:
    if parameter.allowed and value not in parameter.allowed:
        return f"it has to be one of {', '.join(repr(allowed) for allowed in parameter.allowed)}"
    if parameter.type == "Number":
        return _broken_number(parameter, value)
    if parameter.pattern is not None and not _matches(parameter.pattern, value):
        return f"it does not match {parameter.pattern}"
    if parameter.shortest is not None and len(value) < parameter.shortest:
        return f"it has to have at least {parameter.shortest} characters"
    if parameter.longest is not None and len(value) > parameter.longest:
        return f"it may have at most {parameter.longest} characters"
    return None


def _broken_number(parameter: Parameter, value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return "it has to be a number"
    if parameter.least is not None and number < parameter.least:
        return f"it has to be at least {parameter.least:g}"
    if parameter.most is not None and number > parameter.most:
        return f"it may be at most {parameter.most:g}"
    return None


def _matches(pattern: str, value: str) -> bool:
    try:
        # CloudFormation matches the whole value.
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True  # a pattern of Java's dialect that Python does not know: CloudFormation will judge
