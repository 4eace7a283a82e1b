"""The network has no way in and none out but to what the pipeline needs."""

import pytest
from template_options import Chosen
from templates import as_list, resources, template

NETWORK = template("network")
ENDPOINTS = template("endpoints")
EXISTING = {"ExistingVpcId": "vpc-0123abcd", "ExistingSubnetIds": "subnet-0123abcd,subnet-4567abcd"}


def network(**given: object) -> Chosen:
    return Chosen(NETWORK, Environment="dev", **given)


def endpoints(**given: object) -> Chosen:
    needed = {
        "Environment": "dev",
        "VpcId": "vpc-0123abcd",
        "SubnetIds": "subnet-0123abcd,subnet-4567abcd",
        "RouteTableIds": "rtb-0123abcd",
        "BucketName": "rows",
        "TableName": "visits",
        "S3PrefixListId": "pl-0123abcd",
        "DynamoDbPrefixListId": "pl-4567abcd",
    }
    return Chosen(ENDPOINTS, **needed | given)


def names(chosen: Chosen, *types: str) -> list[str]:
    return sorted(name for name, each in chosen.made().items() if each["Type"] in types)


def rule(properties: dict, *direction: str) -> tuple:
    """Return the protocol, the port and whom a rule of a security group names."""
    (other,) = (properties[name] for name in direction if name in properties)
    return (properties["IpProtocol"], properties["FromPort"], properties["ToPort"], other)


@pytest.mark.parametrize(("zones", "subnets"), [("2", ["A", "B"]), ("3", ["A", "B", "C"])])
def test_a_network_has_private_and_public_subnets_in_each_zone(zones: str, subnets: list[str]):
    made = names(network(Zones=zones), "AWS::EC2::Subnet")

    assert made == sorted(f"{kind}Subnet{zone}" for kind in ("Private", "Public") for zone in subnets)


def test_without_public_subnets_there_is_no_gateway_to_the_internet():
    chosen = network(PublicSubnets="false")

    assert names(chosen, "AWS::EC2::Subnet") == ["PrivateSubnetA", "PrivateSubnetB"]
    assert names(chosen, "AWS::EC2::InternetGateway", "AWS::EC2::Route", "AWS::EC2::VPCGatewayAttachment") == []


def test_private_subnets_have_no_route_out():
    routes = resources(NETWORK, "AWS::EC2::Route").values()
    associations = {
        each["Properties"]["SubnetId"]["Ref"]: each["Properties"]["RouteTableId"]["Ref"]
        for each in resources(NETWORK, "AWS::EC2::SubnetRouteTableAssociation").values()
    }

    assert [each["Properties"]["RouteTableId"] for each in routes] == [{"Ref": "PublicRouteTable"}]
    assert associations == {
        f"{kind}Subnet{zone}": f"{kind}RouteTable" for kind in ("Private", "Public") for zone in "ABC"
    }
    assert resources(NETWORK, "AWS::EC2::NatGateway") == {}


def test_no_two_subnets_share_addresses_and_the_zones_of_a_kind_differ():
    subnets = resources(NETWORK, "AWS::EC2::Subnet")
    blocks = [each["Properties"]["CidrBlock"]["Fn::Select"][0] for each in subnets.values()]
    zones = [(name[:-1], each["Properties"]["AvailabilityZone"]["Fn::Select"][0]) for name, each in subnets.items()]

    assert sorted(blocks) == list(range(6))
    assert sorted(zones) == sorted((f"{kind}Subnet", zone) for kind in ("Private", "Public") for zone in range(3))


def test_no_subnet_gives_its_hosts_public_addresses():
    subnets = resources(NETWORK, "AWS::EC2::Subnet")

    assert [name for name, each in subnets.items() if each["Properties"].get("MapPublicIpOnLaunch")] == []


def test_an_existing_network_is_taken_as_it_is():
    chosen = network(**EXISTING)

    assert chosen.refusals() == []
    assert chosen.made() == {}
    assert chosen.value(NETWORK["Outputs"]["SubnetIds"]["Value"]) == EXISTING["ExistingSubnetIds"]


@pytest.mark.parametrize(
    ("given", "refusals"),
    [
        ({"ExistingVpcId": "vpc-0123abcd"}, ["ExistingVpcId needs ExistingSubnetIds"]),
        ({"ExistingSubnetIds": "subnet-0123abcd,subnet-4567abcd"}, ["ExistingSubnetIds needs ExistingVpcId"]),
        ({"ExistingRouteTableIds": "rtb-0123abcd"}, ["ExistingRouteTableIds needs ExistingVpcId"]),
        (
            EXISTING | {"FlowLogDays": 30},
            ["the flow logs of an existing network are its owner's; set FlowLogDays to 0"],
        ),
        (
            {"VpcCidr": "10.0.0.0/24"},
            ["VpcCidr: must be an IPv4 range of size /16 to /20, such as 10.60.0.0/20"],
        ),
        (
            EXISTING | {"ExistingSubnetIds": "subnet-0123abcd"},
            ["ExistingSubnetIds: must be empty or two or more ids of subnets with commas between"],
        ),
    ],
)
def test_a_network_that_cannot_be_is_refused_before_anything_is_made(given: dict, refusals: list[str]):
    assert network(**given).refusals() == refusals


def test_flow_logs_are_made_when_days_are_given():
    kinds = ("AWS::EC2::FlowLog", "AWS::Logs::LogGroup", "AWS::IAM::Role")

    assert names(network(), *kinds) == []
    assert names(network(FlowLogDays=30), *kinds) == ["FlowLog", "FlowLogGroup", "FlowLogRole"]


def test_only_members_come_to_the_database_and_only_for_mysql():
    ingress = ENDPOINTS["Resources"]["DatabaseSecurityGroup"]["Properties"]["SecurityGroupIngress"]

    assert [rule(each, "SourceSecurityGroupId") for each in ingress] == [
        ("tcp", 3306, 3306, {"Ref": "MemberSecurityGroup"})
    ]


def test_the_database_goes_to_s3_alone():
    egress = ENDPOINTS["Resources"]["DatabaseSecurityGroup"]["Properties"]["SecurityGroupEgress"]

    assert [rule(each, "DestinationPrefixListId") for each in egress] == [("tcp", 443, 443, {"Ref": "S3PrefixListId"})]


def test_functions_go_to_the_database_the_endpoints_s3_and_dynamodb_alone():
    egress = ENDPOINTS["Resources"]["FunctionSecurityGroup"]["Properties"]["SecurityGroupEgress"]

    found = [rule(each, "DestinationSecurityGroupId", "DestinationPrefixListId") for each in egress]
    assert [each[:3] for each in found] == [("tcp", 3306, 3306)] + [("tcp", 443, 443)] * 3
    assert [each[3] for each in found[1:]] == [
        {"Ref": "S3PrefixListId"},
        {"Ref": "DynamoDbPrefixListId"},
        {"Ref": "EndpointSecurityGroup"},
    ]


def test_functions_leave_by_one_group_and_are_let_in_by_the_other():
    assert ENDPOINTS["Outputs"]["FunctionSecurityGroupIds"]["Value"] == {
        "Fn::Join": [",", [{"Ref": "FunctionSecurityGroup"}, {"Ref": "MemberSecurityGroup"}]]
    }


def test_the_group_of_an_existing_database_is_opened_and_no_other_is_made():
    chosen = endpoints(ExistingDatabaseSecurityGroupId="sg-0123abcd")

    assert names(chosen, "AWS::EC2::SecurityGroupIngress") == ["ExistingDatabaseIngress"]
    assert "DatabaseSecurityGroup" not in chosen.made()
    assert chosen.value(ENDPOINTS["Outputs"]["DatabaseSecurityGroupId"]["Value"]) == "sg-0123abcd"


def interfaces(**given: object) -> dict[str, str]:
    """Return the service of each interface endpoint that is made."""
    made = endpoints(RouteTableIds="", **given).made()
    services = {
        name: each["Properties"]["ServiceName"]["Fn::Sub"]
        for name, each in made.items()
        if each["Type"] == "AWS::EC2::VPCEndpoint"
    }
    return {name: service.removeprefix("com.amazonaws.${AWS::Region}.") for name, service in services.items()}


ALWAYS = {"SecretsManagerInterface": "secretsmanager", "LambdaInterface": "lambda"}
FIREHOSE = {"FirehoseInterface": "kinesis-firehose"}
STREAMS = {"StreamsInterface": "dynamodb-streams"}
OPERATOR = {"SqsInterface": "sqs", "MonitoringInterface": "monitoring"}


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({"OperatorEndpoints": "false"}, ALWAYS),
        ({"OperatorEndpoints": "false", "FirehoseEndpoint": "true"}, ALWAYS | FIREHOSE),
        ({"OperatorEndpoints": "true"}, ALWAYS | STREAMS | OPERATOR),
    ],
)
def test_an_option_makes_the_endpoints_that_it_needs(options: dict[str, str], made: dict[str, str]):
    assert interfaces(**options) == made


def test_a_network_that_has_endpoints_gets_no_second_with_the_same_private_name():
    # EC2 refuses those. That of streams has no private name, and lets through one table.
    everything = {"FirehoseEndpoint": "true", "OperatorEndpoints": "true"}

    assert interfaces(ExistingEndpointSecurityGroupId="sg-0123abcd", **everything) == STREAMS


def test_every_endpoint_has_a_private_name_but_that_of_streams_for_which_there_is_none():
    found = resources(ENDPOINTS, "AWS::EC2::VPCEndpoint")
    private = {name: each["Properties"].get("PrivateDnsEnabled") for name, each in found.items()}

    gateways = {"DynamoDbEndpoint": None, "S3Endpoint": None}
    assert private == dict.fromkeys(ALWAYS | FIREHOSE | OPERATOR, True) | {"StreamsInterface": False} | gateways


def test_where_streams_is_reached_is_handed_out_when_there_is_a_way_of_its_own():
    url = ENDPOINTS["Outputs"]["StreamsUrl"]["Value"]
    text, names_of = url["Fn::If"][1]["Fn::Sub"]
    chosen = endpoints(OperatorEndpoints="false")
    # As EC2 tells them: the region's first, each behind the id of its zone.
    entries = ["Z7:vpce-1-a.streams.example", "Z7:vpce-1-a-eu-west-1a.streams.example"]
    names_of["Name"]["Fn::Select"][1]["Fn::Split"][1]["Fn::Select"][1] = entries

    assert chosen.value({"Fn::Sub": [text, names_of]}) == "https://vpce-1-a.streams.example"
    assert chosen.value(url) == ""


def test_endpoints_that_are_there_are_opened_to_the_functions_and_the_functions_to_them():
    opened = endpoints(ExistingEndpointSecurityGroupId="sg-0123abcd")
    kinds = ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
    made = opened.made()

    assert names(endpoints(), *kinds) == []
    assert names(opened, *kinds) == ["ExistingEndpointEgress", "ExistingEndpointIngress"]
    assert rule(made["ExistingEndpointEgress"]["Properties"], "DestinationSecurityGroupId") == (
        ("tcp", 443, 443, {"Ref": "ExistingEndpointSecurityGroupId"})
    )
    assert rule(made["ExistingEndpointIngress"]["Properties"], "SourceSecurityGroupId") == (
        ("tcp", 443, 443, {"Ref": "MemberSecurityGroup"})
    )


def test_gateways_are_free_and_there_unless_the_network_has_its_own():
    gateways = {"DynamoDbEndpoint", "S3Endpoint"}

    assert gateways <= endpoints().made().keys()
    assert gateways & endpoints(RouteTableIds="").made().keys() == set()


def s3_statements(**given: object) -> list[dict]:
    chosen = endpoints(**given)
    found = [
        chosen.value(each)
        for each in ENDPOINTS["Resources"]["S3Endpoint"]["Properties"]["PolicyDocument"]["Statement"]
        if not (isinstance(each, dict) and "Fn::If" in each and not chosen.holds(each["Fn::If"][0]))
    ]
    return [{**each, "Resource": chosen.value(each["Resource"])} for each in found]


def test_s3_is_reached_for_the_one_bucket_by_aurora_the_loader_and_the_operator():
    found = {each["Sid"]: (sorted(as_list(each["Action"])), each["Resource"]) for each in s3_statements()}

    assert found == {
        "ListThePipelinesBucket": (
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketVersions"],
            "arn:aws:s3:::rows",
        ),
        "UseThePipelinesObjects": (
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            "arn:aws:s3:::rows/*",
        ),
    }


def test_a_bastion_also_reads_the_packages_of_its_system():
    more = [each for each in s3_statements(Bastion="true") if each not in s3_statements()]

    assert [(each["Action"], each["Resource"]) for each in more] == [
        ("s3:GetObject", "arn:aws:s3:::al2023-repos-eu-west-1-de612dc2/*")
    ]


def test_aurora_is_refused_by_no_condition_of_the_gateway():
    # Its reads come with the role of the cluster, and no key of a condition is documented for them.
    assert [each["Sid"] for each in s3_statements(Bastion="true") if "Condition" in each] == []


def test_dynamodb_is_reached_for_the_one_table():
    statements = ENDPOINTS["Resources"]["DynamoDbEndpoint"]["Properties"]["PolicyDocument"]["Statement"]

    assert [endpoints().value(each["Resource"]) for each in statements] == [
        "arn:aws:dynamodb:eu-west-1:111122223333:table/visits"
    ]
