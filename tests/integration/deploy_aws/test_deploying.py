"""An environment is brought up from nothing, changed, and brought up again after something failed."""

import json

import pytest

from deploy_aws.errors import DeploymentFailedError, DeploymentSettingsError
from deploy_aws.images import ImagesError


def parameters_of(small, stack):
    found = small.clients.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Parameters"]
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in found}


def phases_of(said):
    return [line for line in said.splitlines() if line.startswith(("phase:", "migrating", "smoke"))]


def objects_in(small):
    listed = small.clients.s3.list_objects_v2(Bucket=f"{small.stack}-artifacts")
    return sorted(found["Key"].rpartition("/")[2] for found in listed["Contents"])


def make_table(small, *, view):
    """Make the table of the pipeline, with a stream that has a *view*, and return the stream."""
    stream = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}} if view else {}
    made = small.clients.dynamodb.create_table(
        TableName=f"{small.project}-visits",
        KeySchema=[{"AttributeName": "page_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "page_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **stream,
    )
    return made["TableDescription"].get("LatestStreamArn")


def test_one_command_goes_from_nothing_to_a_migrated_stack_in_which_changes_flow(small):
    outputs = small.deploy()

    assert outputs == {
        "BucketName": small.bucket,
        "Stream": "",
        "TableName": f"{small.project}-visits",
        "MigrateFunction": f"{small.stack}-operator",
        "OperatorFunction": f"{small.stack}-operator",
    }
    assert phases_of(small.said) == [
        "phase: everything, no change flows yet",
        "migrating the database",
        "phase: changes flow",
    ]
    assert "  did: migrate\n" in small.said
    assert parameters_of(small, small.stack)["Flow"] == "on"
    assert objects_in(small) == ["bootstrap.yaml", "inner.yaml", "root.yaml"]


def test_images_are_pushed_once_to_the_registry_of_the_bootstrap_stack(small):
    small.deploy()
    small.deploy()

    registry = f"000000000000.dkr.ecr.{small.clients.region}.amazonaws.com/{small.stack}"
    assert small.pushed == [{"environment": "try", "registry": registry, "architecture": "x86_64"}]


def test_a_second_run_changes_nothing_and_still_migrates(small):
    small.deploy()
    small.text.truncate(0)

    small.deploy()

    assert f"stack {small.stack}-bootstrap: nothing to change\n" in small.said
    assert f"stack {small.stack}: nothing to change\n" in small.said
    assert phases_of(small.said) == ["migrating the database"]
    assert len(objects_in(small)) == 3


def test_new_images_come_in_the_order_operator_migration_loader_the_rest(small):
    small.deploy()
    small.text.truncate(0)

    small.deploy(push="always")

    assert phases_of(small.said) == [
        "phase: the operator and all that is no image",
        "migrating the database",
        "phase: the aurora-loader",
        "phase: the other images",
    ]
    written = json.loads((small.folders.local / "try" / "images.json").read_text())["images"]
    deployed = parameters_of(small, small.stack)
    assert {name: value for name, value in deployed.items() if name.endswith("Image")} == {
        "AuroraLoaderImage": written["aurora-loader"],
        "FirehoseTransformerImage": written["firehose-transformer"],
        "OperatorImage": written["operator"],
        "StreamProcessorImage": written["stream-processor"],
    }


def test_a_creation_that_failed_names_the_resource_and_the_next_run_goes_on_from_there(small):
    small.give(Seconds=30)
    with pytest.raises(DeploymentFailedError) as failed:
        small.deploy()
    held = small.clients.cloudformation.describe_stack_resources(StackName=small.stack)["StackResources"]
    small.give(Seconds=60)

    small.deploy()

    assert str(failed.value).startswith(f"stack {small.stack} is CREATE_FAILED; mend this, then run the same command")
    assert "MessageRetentionPeriod" in str(failed.value)
    assert "Inner" in {found["LogicalResourceId"] for found in held if found["ResourceStatus"] == "CREATE_COMPLETE"}
    assert small.status(small.stack) == "UPDATE_COMPLETE"
    assert phases_of(small.said)[-3:] == [
        "phase: everything, no change flows yet",
        "migrating the database",
        "phase: changes flow",
    ]


def test_an_update_that_failed_is_rolled_back_and_the_next_run_goes_on(small):
    small.deploy()
    small.give(Seconds=30)
    with pytest.raises(DeploymentFailedError, match=f"{small.stack} is UPDATE_ROLLBACK_COMPLETE"):
        small.deploy()
    small.give(Seconds=61)

    small.deploy()

    assert (small.status(small.stack), parameters_of(small, small.stack)["Seconds"]) == ("UPDATE_COMPLETE", "61")


def test_a_migration_that_failed_ends_the_run_before_changes_flow_and_the_next_run_repeats_it(small):
    small.give(Answer=json.dumps({"migrate": {"error": "the table differs"}}))
    with pytest.raises(DeploymentFailedError, match=r"migrate failed in .*: the table differs"):
        small.deploy()
    held = parameters_of(small, small.stack)["Flow"]
    small.give()

    small.deploy()

    assert (held, parameters_of(small, small.stack)["Flow"]) == ("off", "on")


def test_a_stack_that_was_rolled_back_in_its_creation_is_deleted_and_made_anew(small):
    small.clients.cloudformation.create_stack(
        StackName=f"{small.stack}-bootstrap",
        TemplateBody=json.dumps(
            {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriod": 1}}}}
        ),
        OnFailure="ROLLBACK",
    )

    small.deploy()

    assert "left by a creation that failed: it is deleted and made anew" in small.said
    assert small.status(f"{small.stack}-bootstrap") == "CREATE_COMPLETE"


def test_images_that_the_registry_lacks_are_named_before_anything_of_the_root_stack_is_made(small):
    registry = f"000000000000.dkr.ecr.{small.clients.region}.amazonaws.com/{small.stack}"
    images = {stage: f"{registry}/{stage}@sha256:{'a' * 64}" for stage in ("aurora-loader", "operator")}
    others = {stage: f"{registry}/{stage}@sha256:{'b' * 64}" for stage in ("firehose-transformer", "stream-processor")}
    small.write_images({"commit": "head", "architecture": "x86_64", "images": {**images, **others}})

    with pytest.raises(ImagesError) as refused:
        small.deploy()

    assert str(refused.value).splitlines()[1:] == [f"  {image}" for image in {**images, **others}.values()]
    assert (small.status(f"{small.stack}-bootstrap"), small.status(small.stack)) == ("CREATE_COMPLETE", None)


def test_without_pushing_the_command_that_pushes_is_named_with_its_registry(small):
    with pytest.raises(ImagesError) as refused:
        small.deploy(push="never")

    registry = f"000000000000.dkr.ecr.{small.clients.region}.amazonaws.com/{small.stack}"
    command = f"make push-images ENV=try REGISTRY={registry} ARCHITECTURE=x86_64"
    assert str(refused.value).endswith(f"no images have been pushed yet; run {command}")


def test_nothing_is_called_before_all_mistakes_of_the_parameters_are_mended(small):
    small.give(Seconds="many", Flwo="on", TableName="mine")

    with pytest.raises(DeploymentSettingsError) as refused:
        small.deploy()

    assert str(refused.value).splitlines() == [
        "the parameters of try have mistakes:",
        "  Flwo is a parameter of no template; did you mean Flow?",
        "  TableName is found out by deploying; leave it out",
        "  Seconds is 'many': it has to be a number",
    ]
    assert small.status(f"{small.stack}-bootstrap") is None


def test_a_table_that_is_in_the_way_is_named_with_the_parameter_that_has_it_replicated(small):
    make_table(small, view="NEW_IMAGE")

    with pytest.raises(DeploymentSettingsError) as refused:
        small.deploy()

    table = f"{small.project}-visits"
    assert str(refused.value) == (
        f"table {table} is there already: set ExistingTableName to {table!r} to have it replicated"
    )
    assert small.status(f"{small.stack}-bootstrap") is None


def test_a_table_that_is_there_is_replicated_by_its_own_stream(small):
    stream = make_table(small, view="NEW_IMAGE")
    small.give(ExistingTableName=f"{small.project}-visits")

    outputs = small.deploy()

    assert outputs["Stream"] == stream


@pytest.mark.parametrize("view", [None, "KEYS_ONLY"])
def test_a_table_without_a_stream_of_new_images_is_refused_with_the_command_that_mends_it(small, view):
    make_table(small, view=view)
    small.give(ExistingTableName=f"{small.project}-visits")

    with pytest.raises(
        DeploymentSettingsError, match="has no stream with new images; switch it on: aws dynamodb update"
    ):
        small.deploy()


def test_an_existing_table_that_is_not_there_is_said_so(small):
    small.give(ExistingTableName="gone")

    with pytest.raises(DeploymentSettingsError, match="ExistingTableName is 'gone', and there is no such table"):
        small.deploy()


def test_a_name_that_is_too_long_for_a_bucket_is_found_before_anything_is_made(small):
    small.give(BucketName="b" * 64)

    with pytest.raises(DeploymentSettingsError, match="longer than 63; set BucketName"):
        small.deploy()

    assert small.status(f"{small.stack}-bootstrap") is None


def test_what_cloudformation_finds_before_it_begins_is_told(small):
    taken = small.aws.bucket("taken")
    bucket = f"  Taken: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {taken}}}}}\n"
    small.edit("root.yaml", "\nResources:\n", f"\nResources:\n{bucket}")

    with pytest.raises(DeploymentFailedError) as failed:
        small.deploy()

    assert f"/Taken (AWS::S3::Bucket): Resource of type 'AWS::S3::Bucket' with identifier '{taken}'" in str(
        failed.value
    )


def test_a_pipeline_without_a_smoke_item_is_tested_by_a_heartbeat(small):
    small.deploy(smoke=True)

    assert phases_of(small.said)[-1] == "smoke test: a heartbeat on its way through all stages"


def test_the_smoke_item_is_put_and_deleted_and_what_became_of_it_is_told(small):
    (small.folders.smoke / "web_analytics.json").write_text('{"page_id": {"S": "{run}"}, "activity_dt": {"S": "now"}}')
    found = {"verdict": "equal", "explanation": "never gone", "item_exists": True}
    small.give(Answer=json.dumps({"diff-item": found}))

    with pytest.raises(DeploymentFailedError, match=r"has not gone in .* minutes: equal, never gone"):
        small.deploy(smoke=True, smoke_seconds=0.3)

    assert small.clients.dynamodb.scan(TableName=f"{small.project}-visits")["Items"] == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"commit": "older"}, "images/ or pipelines/ differ from commit older, whose images were pushed"),
        ({"architecture": "arm64"}, "the images that were pushed are for arm64"),
    ],
)
def test_images_of_another_source_or_architecture_are_pushed_anew_and_the_reason_is_told(small, change, reason):
    small.deploy()
    small.give(Architecture="x86_64")
    file = small.folders.local / "try" / "images.json"
    small.write_images({**json.loads(file.read_text()), **change})

    small.deploy()

    assert f"{reason}: make push-images ENV=try" in small.said
    assert len(small.pushed) == 2


def test_images_of_another_source_are_deployed_as_they_are_when_pushing_is_forbidden(small):
    small.deploy()
    file = small.folders.local / "try" / "images.json"
    small.write_images({**json.loads(file.read_text()), "commit": "older"})

    small.deploy(push="never")

    assert "images/ or pipelines/ differ from commit older" in small.said
    assert len(small.pushed) == 1


def test_images_of_another_architecture_are_not_deployed(small):
    small.deploy()
    small.give(Architecture="arm64")

    with pytest.raises(ImagesError, match="the images are for x86_64, and parameter Architecture is arm64"):
        small.deploy(push="never")


def test_images_in_another_registry_are_pushed_anew_and_in_one_that_is_not_ecr_are_warned_of(small):
    small.deploy()
    foreign = {stage: f"localhost:5000/x/{stage}@sha256:{'a' * 64}" for stage in small.site.stages}
    small.write_images({"commit": "head", "architecture": "x86_64", "images": foreign})

    small.deploy(push="never")

    registry = f"000000000000.dkr.ecr.{small.clients.region}.amazonaws.com/{small.stack}"
    assert f"the images that were pushed are not in {registry}: deploying the images of" in small.said
    assert "not in ECR, so not verified, and not taken by Lambda on AWS: aurora-loader, firehose-tran" in small.said


def test_a_stage_whose_image_was_not_pushed_is_named(small):
    small.deploy()
    file = small.folders.local / "try" / "images.json"
    document = json.loads(file.read_text())
    del document["images"]["operator"]
    small.write_images(document)

    with pytest.raises(ImagesError, match="no image of operator was pushed; run the same command with PUSH=always"):
        small.deploy()


def test_a_push_that_writes_nothing_is_an_error(small):
    small.push = lambda **_: None

    with pytest.raises(ImagesError, match=r"images.json has not been written; run make push-images ENV=try REGISTRY="):
        small.deploy()


@pytest.mark.parametrize(("architecture", "tag"), [("x86_64", "head"), ("arm64", "head-arm64")])
def test_images_of_this_commit_that_the_registry_has_already_are_not_pushed_again(small, architecture, tag):
    small.give(Architecture=architecture)
    with pytest.raises(ImagesError):
        small.deploy(push="never")
    registry = f"000000000000.dkr.ecr.{small.clients.region}.amazonaws.com/{small.stack}"
    images = {stage: small.put_image(registry, stage, imageTag=tag) for stage in small.site.stages}

    small.deploy()

    assert small.pushed == []
    assert "no images have been pushed yet; the registry has those of commit head already" in small.said
    written = json.loads((small.folders.local / "try" / "images.json").read_text())
    assert written == {"commit": "head", "architecture": architecture, "images": images}


def test_images_of_a_commit_that_was_changed_since_are_not_taken_from_the_registry(small):
    with pytest.raises(ImagesError):
        small.deploy(push="never")
    registry = f"000000000000.dkr.ecr.{small.clients.region}.amazonaws.com/{small.stack}"
    for stage in small.site.stages:
        small.put_image(registry, stage, imageTag="head")
    small.commit = None

    small.deploy()

    assert len(small.pushed) == 1
