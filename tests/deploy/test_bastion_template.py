"""People come to the database through Session Manager, and nobody else comes at all."""

from template_options import Chosen
from templates import as_list, resources, statements, template

CONTENT = template("bastion")
HOST = CONTENT["Resources"]["Host"]["Properties"]


def test_the_host_has_no_open_port_no_key_and_no_address_of_its_own():
    group = CONTENT["Resources"]["SecurityGroup"]["Properties"]

    assert "SecurityGroupIngress" not in group
    assert resources(CONTENT, "AWS::EC2::SecurityGroupIngress", "AWS::EC2::EIP") == {}
    assert HOST.keys() & {"KeyName", "NetworkInterfaces", "PublicIp"} == set()


def test_the_host_goes_to_the_database_the_endpoints_and_its_packages_alone():
    egress = CONTENT["Resources"]["SecurityGroup"]["Properties"]["SecurityGroupEgress"]

    assert [
        (each["ToPort"], each.get("DestinationSecurityGroupId", each.get("DestinationPrefixListId"))) for each in egress
    ] == [
        (3306, {"Ref": "DatabaseSecurityGroupId"}),
        (443, {"Ref": "S3PrefixListId"}),
        (443, {"Ref": "EndpointSecurityGroupId"}),
    ]


def test_the_metadata_service_asks_for_a_token_and_the_disk_is_encrypted():
    assert HOST["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    assert [disk["Ebs"]["Encrypted"] for disk in HOST["BlockDeviceMappings"]] == [True]


def test_the_image_is_the_newest_that_aws_names():
    assert CONTENT["Parameters"]["ImageId"]["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"


def test_the_client_is_declared_and_not_scripted():
    assert HOST["UserData"] == {"Fn::Base64": "#cloud-config\npackages: [mariadb1011]\n"}


def test_the_host_may_take_sessions_and_nothing_else():
    role = {name: each for name, each in statements(CONTENT).items() if name.startswith("Role.Properties.Policies")}

    assert sorted(action for each in role.values() for action in as_list(each["Action"])) == [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ]
    assert "ManagedPolicyArns" not in CONTENT["Resources"]["Role"]["Properties"]


def test_endpoints_are_left_out_where_the_network_has_them():
    needed = {
        "Environment": "dev",
        "VpcId": "vpc-0123abcd",
        "SubnetIds": "subnet-0123abcd,subnet-4567abcd",
        "MemberSecurityGroupId": "sg-0123abcd",
        "DatabaseSecurityGroupId": "sg-1123abcd",
        "EndpointSecurityGroupId": "sg-2123abcd",
        "S3PrefixListId": "pl-0123abcd",
        "Endpoint": "db.example",
    }
    endpoints = {"SsmInterface", "SsmMessagesInterface"}

    assert Chosen(CONTENT, **needed).refusals() == []
    assert endpoints <= Chosen(CONTENT, **needed).made().keys()
    assert endpoints & Chosen(CONTENT, **needed, SessionManagerEndpoints="false").made().keys() == set()
