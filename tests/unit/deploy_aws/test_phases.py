"""The order in which a deployment changes things."""

from deploy_aws.phases import Phase, phases

OLD = {"StreamProcessorImage": "s1", "FirehoseTransformerImage": "f1", "AuroraLoaderImage": "l1", "OperatorImage": "o1"}
NEW = {"StreamProcessorImage": "s2", "FirehoseTransformerImage": "f2", "AuroraLoaderImage": "l2", "OperatorImage": "o2"}


def test_a_first_creation_lets_changes_flow_after_the_migration():
    found = phases(NEW, deployed=None, flow="on")

    assert found == (
        Phase("everything, no change flows yet", {**NEW, "Flow": "off"}, migrates=True),
        Phase("changes flow", {**NEW, "Flow": "on"}),
    )


def test_a_first_creation_in_which_no_change_shall_flow_has_one_phase():
    found = phases({**NEW, "Flow": "off"}, deployed=None, flow="on")

    assert found == (Phase("everything, no change flows yet", {**NEW, "Flow": "off"}, migrates=True),)


def test_without_a_parameter_for_it_everything_is_made_at_once():
    assert phases(NEW, deployed=None, flow=None) == (Phase("everything", NEW, migrates=True),)


def test_new_images_come_after_the_migration_and_the_loader_before_those_who_write():
    found = phases(NEW, deployed=OLD, flow="on")

    assert found == (
        Phase("the operator and all that is no image", {**OLD, "OperatorImage": "o2"}, migrates=True),
        Phase("the aurora-loader", {**OLD, "OperatorImage": "o2", "AuroraLoaderImage": "l2"}),
        Phase("the other images", NEW),
    )


def test_a_change_that_is_no_image_is_one_phase_with_a_migration():
    found = phases({**OLD, "Days": "3"}, deployed={**OLD, "Days": "7"}, flow="on")

    assert found == (Phase("the operator and all that is no image", {**OLD, "Days": "3"}, migrates=True),)


def test_an_image_that_is_not_deployed_yet_is_taken_at_once():
    found = phases(NEW, deployed={"OperatorImage": "o1"}, flow=None)

    assert found == (Phase("the operator and all that is no image", NEW, migrates=True),)
