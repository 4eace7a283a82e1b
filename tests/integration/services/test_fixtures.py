"""The fixtures that other tests build on."""


def test_a_test_gets_an_empty_schema_of_its_own(database):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE()")
        selected = cursor.fetchall()
        cursor.execute("SHOW TABLES")
        tables = cursor.fetchall()

    assert selected == ((database.name,),)
    assert tables == ()


def test_a_test_finds_no_schema_of_another_test(database):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE 'test\\_%'")
        schemas = cursor.fetchall()

    assert schemas == ((database.name,),)


def test_an_object_put_through_the_emulator_is_read_back(aws):
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="a+b c='é.csv", Body=b"x")

    body = aws.client("s3").get_object(Bucket=bucket, Key="a+b c='é.csv")["Body"].read()

    assert body == b"x"
