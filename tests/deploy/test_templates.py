"""Every template, whoever wrote it, keeps the rules that hold for all."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from templates import as_list, parsed, resources, statements, template_paths, walk

TEMPLATES = template_paths()
LONGEST_TEMPLATE = 400
# What loses data when it is deleted. A cluster leaves a snapshot: kept running, it would keep its network too.
STORES = {
    "AWS::DynamoDB::Table": "Retain",
    "AWS::ECR::Repository": "Retain",
    "AWS::RDS::DBCluster": "Snapshot",
    "AWS::S3::Bucket": "Retain",
}
# Services that act for whoever asks them: without a condition, somebody else could ask them to act on ours.
DEPUTIES = {"firehose", "rds", "s3", "scheduler", "sns", "vpc-flow-logs"}

pytestmark = pytest.mark.parametrize("path", TEMPLATES, ids=[path.stem for path in TEMPLATES])


@cache
def content_of(path: Path) -> dict:
    return parsed(path.read_text(encoding="utf-8"))


def wildcards(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield every line of a statement that holds a `*`, and whether a comment on it or above it there speaks of it."""
    sid_column = None
    comment = False
    for before, line in pairwise(lines):
        column = len(line) - len(line.lstrip())
        if "Sid:" in line:
            sid_column = line.index("Sid:")
            comment = before.lstrip().startswith("#")
        elif line.strip() and sid_column is not None and column < sid_column:
            sid_column = None
        if sid_column is None:
            continue
        comment = comment or line.lstrip().startswith("#")
        value, mark, _ = line.partition(" #")
        if "*" in value and not value.lstrip().startswith("#"):
            yield line.strip(), bool(mark) or comment


def test_a_template_says_what_it_is_for_and_stays_short(path: Path):
    assert content_of(path)["Description"].strip() != ""
    assert len(path.read_text().splitlines()) < LONGEST_TEMPLATE


def test_a_parameter_says_what_it_does_and_what_empty_means(path: Path):
    declared = content_of(path).get("Parameters", {})

    assert [name for name, each in declared.items() if not each.get("Description")] == []
    empty = [name for name, each in declared.items() if each.get("Default") == ""]
    assert [name for name in empty if not re.search(r"\b[Ee]mpty\b", declared[name]["Description"])] == []
    patterned = [name for name, each in declared.items() if "AllowedPattern" in each]
    assert [name for name in patterned if "ConstraintDescription" not in declared[name]] == []


def test_the_default_of_a_parameter_is_allowed(path: Path):
    declared = content_of(path).get("Parameters", {})

    assert [
        name
        for name, each in declared.items()
        if "Default" in each and not re.fullmatch(each.get("AllowedPattern", r"[\s\S]*"), str(each["Default"]))
    ] == []


def test_no_parameter_is_a_password(path: Path):
    declared = content_of(path).get("Parameters", {})

    assert [
        name
        for name, each in declared.items()
        if each.get("NoEcho")
        or re.search(r"password|passphrase|token|secret(?!sManagerEndpoint|Arn)", name, re.IGNORECASE)
    ] == []


def test_no_resource_holds_a_password(path: Path):
    assert [
        ".".join(where)
        for where, _ in walk(resources(content_of(path)))
        if where and re.search(r"password$", where[-1], re.IGNORECASE) and where[-1] != "ManageMasterUserPassword"
    ] == []


def test_no_region_account_or_partition_is_fixed(path: Path):
    lines = [line.partition(" #")[0] for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]

    fixed = r"arn:aws\b|(?<![{$\w-])\d{12}(?![\d\]}])|\b(?:us|eu|ap|sa|ca|me|af|il|cn|mx)-[a-z]+-\d\b"
    assert [line for line in lines if re.search(fixed, line)] == []
    # Apart from the names of services, which are the same everywhere.
    hosts = r"(?<!com)\.amazonaws\.com|amazonaws\.com\.cn"
    assert [line for line in lines if re.search(hosts, line) and not re.search("Service|Principal:", line)] == []


def test_values_travel_as_parameters_and_outputs(path: Path):
    content = content_of(path)

    assert [".".join(where) for where, _ in walk(content) if where and where[-1] in {"Fn::ImportValue", "Export"}] == []
    assert [name for name, each in content.get("Outputs", {}).items() if not each.get("Description")] == []


def test_no_template_holds_code(path: Path):
    assert [".".join(where) for where, _ in walk(content_of(path)) if where and where[-1] == "ZipFile"] == []


def test_data_stores_outlive_their_stack(path: Path):
    stores = resources(content_of(path), *STORES)

    # RetainExceptOnCreate takes back what a first deployment that failed had made, which is empty.
    found = {
        name: (each.get("DeletionPolicy", "").removesuffix("ExceptOnCreate"), each.get("UpdateReplacePolicy"))
        for name, each in stores.items()
    }
    assert found == {name: (STORES[each["Type"]],) * 2 for name, each in stores.items()}


def test_buckets_are_private_encrypted_and_versioned(path: Path):
    found = [each["Properties"] for each in resources(content_of(path), "AWS::S3::Bucket").values()]

    private = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    assert [each for each in found if each.get("PublicAccessBlockConfiguration") != dict.fromkeys(private, True)] == []
    assert [each for each in found if "BucketEncryption" not in each] == []
    assert [each for each in found if each.get("VersioningConfiguration") != {"Status": "Enabled"}] == []


def test_every_bucket_refuses_calls_without_tls(path: Path):
    content = content_of(path)

    refusing = {
        policy["Properties"]["Bucket"]["Ref"]
        for policy in resources(content, "AWS::S3::BucketPolicy").values()
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if (each["Effect"], each["Action"], each.get("Condition"))
        == ("Deny", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})
    }
    assert refusing == set(resources(content, "AWS::S3::Bucket"))


def test_nobody_is_let_in_by_address(path: Path):
    content = content_of(path)
    rules = [
        rule
        for group in resources(content, "AWS::EC2::SecurityGroup").values()
        for rule in group["Properties"].get("SecurityGroupIngress", [])
    ]
    rules += [each["Properties"] for each in resources(content, "AWS::EC2::SecurityGroupIngress").values()]

    assert [rule for rule in rules if rule.keys() & {"CidrIp", "CidrIpv6", "SourcePrefixListId"}] == []
    assert [rule for rule in rules if "SourceSecurityGroupId" not in rule] == []


def test_every_security_group_says_where_its_members_may_go(path: Path):
    groups = resources(content_of(path), "AWS::EC2::SecurityGroup")
    rules = [rule for each in groups.values() for rule in each["Properties"]["SecurityGroupEgress"]]

    assert [rule for rule in rules if rule.get("CidrIp", "255.255.255.255/32") != "255.255.255.255/32"] == []
    assert [rule for rule in rules if rule.keys() & {"CidrIpv6"} or str(rule["IpProtocol"]) == "-1"] == []


def test_interface_endpoints_are_paid_for_only_where_an_option_needs_them(path: Path):
    endpoints = resources(content_of(path), "AWS::EC2::VPCEndpoint")

    assert [name for name, each in endpoints.items() if "Condition" not in each] == []
    assert [name for name, each in endpoints.items() if "PolicyDocument" not in each["Properties"]] == []


def test_every_statement_has_a_sid_of_its_own_in_its_policy(path: Path):
    found = statements(content_of(path))

    assert [where for where, each in found.items() if not re.fullmatch(r"[A-Za-z0-9]+", str(each.get("Sid", "")))] == []
    documents = [(where.partition("Statement")[0], each["Sid"]) for where, each in found.items()]
    assert sorted(documents) == sorted(set(documents))


def test_statements_say_what_they_are_about_and_not_what_they_leave_out(path: Path):
    assert [
        where
        for where, each in statements(content_of(path)).items()
        if each.keys() & {"NotAction", "NotResource", "NotPrincipal"}
    ] == []


def test_no_statement_allows_every_action_of_a_service(path: Path):
    assert [
        where
        for where, each in statements(content_of(path)).items()
        if each["Effect"] == "Allow" and any("*" in action for action in as_list(each["Action"]))
    ] == []


def test_every_wildcard_of_a_statement_has_a_comment(path: Path):
    assert [line for line, comment in wildcards(path.read_text().splitlines()) if not comment] == []


def test_a_service_that_acts_for_anybody_acts_for_this_account_alone(path: Path):
    unbound = [
        where
        for where, each in statements(content_of(path)).items()
        if isinstance(each.get("Principal"), dict)
        and {str(name).split(".")[0] for name in as_list(each["Principal"].get("Service", ""))} & DEPUTIES
        and not re.search(r"aws:SourceAccount|aws:SourceArn|sts:ExternalId", str(each.get("Condition")))
    ]

    assert unbound == []


def test_a_policy_that_is_left_out_has_its_reason_and_a_linter_is_never_silenced(path: Path):
    content = content_of(path)
    metadata = [each.get("Metadata", {}) for each in [content, *content["Resources"].values()]]
    skips = [skip for each in metadata for skip in each.get("checkov", {}).get("skip", [])]

    assert [each for each in metadata if each.keys() - {"checkov"} - {"AWS::CloudFormation::Interface"}] == []
    assert [skip for skip in skips if len(skip.get("comment", "").split()) < 4] == []
    assert "checkov:skip" not in path.read_text()


def test_cloudformation_can_read_what_this_repository_reads(path: Path):
    # It knows neither anchors nor aliases.
    tokens = yaml.scan(path.read_text())

    assert [token for token in tokens if isinstance(token, (yaml.AnchorToken, yaml.AliasToken))] == []
