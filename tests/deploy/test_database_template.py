"""The cluster reads the pipeline's bucket, speaks TLS, and cannot be lost by a deployment."""

import pytest
from template_options import Chosen
from templates import as_list, statements, template

CONTENT = template("database")
CLUSTER = CONTENT["Resources"]["Cluster"]
NEW = {
    "Environment": "dev",
    "BucketName": "rows",
    "SubnetIds": "subnet-0123abcd,subnet-4567abcd",
    "SecurityGroupId": "sg-0123abcd",
}
EXISTING = NEW | {
    "ExistingClusterId": "orders",
    "ExistingEndpoint": "orders.cluster-abc.eu-west-1.rds.example",
    "ExistingClusterResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ExistingSecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders-AbCdEf",
}


def chosen(**given: object) -> Chosen:
    return Chosen(CONTENT, **NEW | given)


def test_a_cluster_has_a_writer_a_reader_and_its_parameters():
    assert sorted(chosen().made()) == [
        "AuditLog",
        "Cluster",
        "ClusterParameters",
        "ErrorLog",
        "InstanceParameters",
        "LoadRole",
        "ReaderInstance",
        "SlowLogGroup",
        "SubnetGroup",
        "WriterInstance",
    ]
    assert "ReaderInstance" not in chosen(Reader="false").made()


def test_of_an_existing_cluster_only_the_role_that_reads_the_bucket_is_made():
    existing = Chosen(CONTENT, **EXISTING)

    assert existing.refusals() == []
    assert list(existing.made()) == ["LoadRole"]
    assert {
        name: existing.value(CONTENT["Outputs"][name]["Value"])
        for name in ("ClusterId", "Endpoint", "ClusterResourceId", "SecretArn", "Port")
    } == {
        "ClusterId": "orders",
        "Endpoint": EXISTING["ExistingEndpoint"],
        "ClusterResourceId": EXISTING["ExistingClusterResourceId"],
        "SecretArn": EXISTING["ExistingSecretArn"],
        "Port": 3306,
    }


@pytest.mark.parametrize(
    ("given", "refusals"),
    [
        ({"SubnetIds": ""}, ["a new cluster needs SubnetIds"]),
        ({"SecurityGroupId": ""}, ["a new cluster needs SecurityGroupId"]),
        (
            {"ExistingEndpoint": "db.example"},
            ["ExistingEndpoint, ExistingClusterResourceId and ExistingSecretArn need ExistingClusterId"],
        ),
        (
            {"ExistingClusterId": "orders"},
            ["ExistingClusterId needs ExistingEndpoint, ExistingClusterResourceId and ExistingSecretArn"],
        ),
        (
            {"EngineVersion": "5.7.mysql_aurora.2.12.0"},
            ["EngineVersion: must be a version of Aurora MySQL 3 or 8.4, such as 8.0.mysql_aurora.3.10.4"],
        ),
    ],
)
def test_a_database_that_cannot_be_is_refused_before_anything_is_made(given: dict, refusals: list[str]):
    assert chosen(**given).refusals() == refusals


@pytest.mark.parametrize(
    ("version", "family"),
    [
        ("8.0.mysql_aurora.3.10.4", "aurora-mysql8.0"),
        ("8.4.mysql_aurora.8.4.8", "aurora-mysql8.4"),
        ("8.0.mysql_aurora.3.12.0", "aurora-mysql8.0"),
    ],
)
def test_both_parameter_groups_are_of_the_family_of_the_version(version: str, family: str):
    groups = [CONTENT["Resources"][name]["Properties"] for name in ("ClusterParameters", "InstanceParameters")]

    assert chosen(EngineVersion=version).refusals() == []
    assert [chosen(EngineVersion=version).value(each["Family"]) for each in groups] == [family, family]


def test_the_cluster_loads_from_s3_with_its_role_and_takes_nothing_but_tls_and_exact_values():
    parameters = dict(CONTENT["Resources"]["ClusterParameters"]["Properties"]["Parameters"])

    assert parameters.pop("aws_default_s3_role") == {"Fn::GetAtt": ["LoadRole", "Arn"]}
    assert {name: chosen().value(each) for name, each in parameters.items()} == {
        "activate_all_roles_on_login": "1",
        "require_secure_transport": "ON",
        "local_infile": "0",
        "sql_mode": (
            "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
            "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
        ),
        "character_set_server": "utf8mb4",
        "server_audit_logging": "1",
        "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
        "slow_query_log": "0",
    }
    assert CONTENT["Resources"]["InstanceParameters"]["Properties"]["Parameters"] == {
        "activate_all_roles_on_login": "1"
    }


def test_the_role_is_attached_to_the_cluster_and_used_by_no_other():
    (trust,) = CONTENT["Resources"]["LoadRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert CLUSTER["Properties"]["AssociatedRoles"] == [{"RoleArn": {"Fn::GetAtt": ["LoadRole", "Arn"]}}]
    assert trust["Principal"] == {"Service": "rds.amazonaws.com"}
    assert {
        id_: each.value(trust["Condition"]["ArnEquals"]["aws:SourceArn"])
        for id_, each in {"new": chosen(Project="p"), "existing": Chosen(CONTENT, **EXISTING)}.items()
    } == {
        "new": "arn:aws:rds:eu-west-1:111122223333:cluster:p-dev",
        "existing": "arn:aws:rds:eu-west-1:111122223333:cluster:orders",
    }
    assert chosen(Project="p").value(CLUSTER["Properties"]["DBClusterIdentifier"]) == "p-dev"


def granted(options: Chosen) -> dict[str, list[str]]:
    """Return what the role of the cluster may do, and where."""
    found: dict[str, list[str]] = {}
    for where, each in statements(CONTENT).items():
        conditional = where.partition(".Fn::If.")[0]
        if not where.startswith("LoadRole.Properties.Policies") or (
            conditional != where and not options.holds("HasBucketKey")
        ):
            continue
        for action in as_list(each["Action"]):
            found.setdefault(action, []).extend(as_list(options.value(each["Resource"])))
    return found


def test_the_cluster_reads_rows_and_manifests_and_nothing_else_of_the_bucket():
    objects = ["arn:aws:s3:::rows/processed/*", "arn:aws:s3:::rows/manifests/*"]

    assert granted(chosen()) == {
        "s3:ListBucket": ["arn:aws:s3:::rows"],
        "s3:GetObject": objects,
        "s3:GetObjectVersion": objects,
    }


def test_the_cluster_decrypts_with_the_key_of_the_bucket_when_it_has_one():
    key = "arn:aws:kms:eu-west-1:111122223333:key/0000"

    assert granted(chosen(BucketKeyArn=key))["kms:Decrypt"] == [key]


def test_no_password_is_known_to_the_template_and_users_sign_in_by_iam():
    properties = CLUSTER["Properties"]

    assert properties["ManageMasterUserPassword"] is True
    assert properties["EnableIAMDatabaseAuthentication"] is True
    assert properties.keys() & {"MasterUserPassword", "EnableHttpEndpoint"} == set()


def test_the_cluster_is_encrypted_kept_and_guarded():
    properties = CLUSTER["Properties"]

    assert properties["StorageEncrypted"] is True
    assert (CLUSTER["DeletionPolicy"], CLUSTER["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    assert [chosen().value(properties[name]) for name in ("DeletionProtection", "BackupRetentionPeriod")] == [
        "true",
        14,
    ]


@pytest.mark.parametrize("name", ["WriterInstance", "ReaderInstance"])
def test_no_instance_is_public_or_upgrades_itself(name: str):
    properties = CONTENT["Resources"][name]["Properties"]

    assert (properties["PubliclyAccessible"], properties["AutoMinorVersionUpgrade"]) == (False, False)


@pytest.mark.parametrize(
    ("slow", "exported"), [("false", ["audit", "error"]), ("true", ["audit", "error", "slowquery"])]
)
def test_every_log_that_is_exported_has_a_group_that_is_there_before_the_cluster(slow: str, exported: list[str]):
    options = chosen(SlowQueryLog=slow)
    logs = [each for each in CLUSTER["Properties"]["EnableCloudwatchLogsExports"] if isinstance(each, str)]
    logs += ["slowquery"] if options.holds("SlowLog") else []
    groups = {
        options.value(each["Properties"]["LogGroupName"])
        for name, each in options.made().items()
        if each["Type"] == "AWS::Logs::LogGroup" and name in CLUSTER["DependsOn"]
    }

    assert logs == exported
    assert {f"/aws/rds/cluster/ddb2aurora-dev/{log}" for log in logs} <= groups


@pytest.mark.parametrize(
    ("instance_class", "scaling"),
    [("db.serverless", {"MinCapacity": 0.5, "MaxCapacity": 8}), ("db.r8g.large", None)],
)
def test_only_a_serverless_cluster_scales(instance_class: str, scaling: dict | None):
    condition, then, otherwise = CLUSTER["Properties"]["ServerlessV2ScalingConfiguration"]["Fn::If"]
    options = chosen(InstanceClass=instance_class)

    found = {name: options.value(each) for name, each in then.items()} if options.holds(condition) else None
    assert found == scaling
    assert otherwise == {"Ref": "AWS::NoValue"}
