import pytest

from local_aws.aurora.statements import Load, RoleChange, Selector, parse_load, parse_set_role


@pytest.mark.parametrize(
    ("sql", "selector", "uri", "tail"),
    [
        ("LOAD DATA FROM S3 's3://b/k' INTO TABLE t", Selector.FILE, "s3://b/k", " INTO TABLE t"),
        ("LOAD DATA S3 's3://b/k' INTO TABLE t", Selector.FILE, "s3://b/k", " INTO TABLE t"),
        ("load data from s3 file 's3://b/k'into table t", Selector.FILE, "s3://b/k", "into table t"),
        ("LOAD DATA FROM S3 PREFIX 's3://b/p' INTO TABLE t", Selector.PREFIX, "s3://b/p", " INTO TABLE t"),
        ('Load Data From S3 Manifest "s3://b/m" INTO TABLE t', Selector.MANIFEST, "s3://b/m", " INTO TABLE t"),
        ("\n /* x */ -- y\n LOAD#z\nDATA FROM S3'a''b\\\\' INTO TABLE t;", Selector.FILE, "a'b\\", " INTO TABLE t;"),
        ("LOAD DATA FROM S3 's3://b/k' INTO TABLE d.`t` -- x", Selector.FILE, "s3://b/k", " INTO TABLE d.`t` -- x"),
    ],
)  # fmt: skip
def test_the_head_of_a_load_is_read_and_its_tail_kept(sql, selector, uri, tail):
    assert parse_load(sql) == Load(selector, uri, tail, b"\n")


@pytest.mark.parametrize(
    ("tail", "line_end"),
    [
        ("REPLACE INTO TABLE t", b"\n"),
        ("IGNORE INTO TABLE t PARTITION (p0, `p1`) CHARACTER SET utf8mb4", b"\n"),
        ("INTO TABLE t CHARSET 'utf8mb4' FIELDS TERMINATED BY '|' LINES TERMINATED BY '\\r\\n'", b"\r\n"),
        ("INTO TABLE t COLUMNS ESCAPED BY '\\\\' ENCLOSED BY '\"' TERMINATED BY ','", b"\n"),
        ("INTO TABLE t FIELDS OPTIONALLY ENCLOSED BY 0x22 LINES STARTING BY '>' TERMINATED BY X'7c'", b"|"),
        ("INTO TABLE t LINES TERMINATED BY '' STARTING BY '>'", b""),
        ("INTO TABLE t LINES STARTING BY '>'", b"\n"),
        ("INTO TABLE t IGNORE 2 LINES", b"\n"),
        ("INTO TABLE t LINES TERMINATED BY ';' IGNORE 1 ROWS (a, `b`, @c, @`d`) SET e = f(@c, 'LINES')", b";"),
        ("INTO TABLE t () ; SELECT 1", b"\n"),
        ("INTO TABLE t SET a = (SELECT 1)", b"\n"),
    ],
)
def test_the_clauses_are_read_as_far_as_the_line_end_needs(tail, line_end):
    load = parse_load(f"LOAD DATA FROM S3 's3://b/k' {tail}")

    assert load == Load(Selector.FILE, "s3://b/k", f" {tail}", line_end)


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "INTO t",
        "INTO TABLE",
        "INTO TABLE t LINES",
        "INTO TABLE t FIELDS TERMINATED ','",
        "INTO TABLE t FIELDS TERMINATED BY ,",
        "INTO TABLE t LINES TERMINATED BY ';' FIELDS TERMINATED BY ','",
        "INTO TABLE t IGNORE LINES",
        "INTO TABLE t IGNORE 1",
        "INTO TABLE t (a b)",
        "INTO TABLE t (a",
        "INTO TABLE t PARTITION p",
        "INTO TABLE t extra",
    ],
)
def test_a_tail_that_breaks_the_grammar_is_left_to_the_server(tail):
    load = parse_load(f"LOAD DATA FROM S3 's3://b/k' {tail}")

    assert load == Load(Selector.FILE, "s3://b/k", f" {tail}", b"", valid=False)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 'LOAD DATA FROM S3'",
        "LOAD DATA INFILE 's3' INTO TABLE t",
        "LOAD DATA LOCAL FROM S3 's3://b/k' INTO TABLE t",
        "LOAD DATA CONCURRENT FROM S3 's3://b/k' INTO TABLE t",
        "LOAD XML FROM S3 's3://b/k' INTO TABLE t",
        "LOAD DATA FROM S3",
        "LOAD DATA FROM S3 @uri INTO TABLE t",
        "LOAD DATA FROM S3 CONCAT('s3://b/', 'k') INTO TABLE t",
        "LOAD DATA FROM S3 `s3://b/k` INTO TABLE t",
        "LOAD DATA FROM S3 's3://b/k INTO TABLE t",
        "/*! LOAD */ DATA FROM S3 's3://b/k' INTO TABLE t",
        "'LOAD' DATA FROM S3 's3://b/k' INTO TABLE t",
        "XLOAD DATA FROM S3 's3://b/k' INTO TABLE t",
    ],
)
def test_another_statement_is_none_of_ours(sql):
    assert parse_load(sql) is None


@pytest.mark.parametrize(
    ("sql", "change"),
    [
        ("SET ROLE ALL", RoleChange.ACTIVATES),
        (" /* x */ set role all ; ", RoleChange.ACTIVATES),
        ("SET ROLE AWS_LOAD_S3_ACCESS", RoleChange.ACTIVATES),
        ("SET ROLE 'AWS_LOAD_S3_ACCESS'@'%'", RoleChange.ACTIVATES),
        ("SET ROLE `AWS_LOAD_S3_ACCESS`@`%`", RoleChange.ACTIVATES),
        ('SET ROLE other, "AWS_LOAD_S3_ACCESS"', RoleChange.ACTIVATES),
        ("SET ROLE ALL EXCEPT other@localhost", RoleChange.ACTIVATES),
        ("SET ROLE ALL EXCEPT AWS_LOAD_S3_ACCESS", RoleChange.DEACTIVATES),
        ("SET ROLE NONE", RoleChange.DEACTIVATES),
        ("SET ROLE other", RoleChange.DEACTIVATES),
        ("SET ROLE aws_load_s3_access", RoleChange.DEACTIVATES),
        ("SET ROLE DEFAULT", RoleChange.RESTORES),
        ("SET ROLE", None),
        ("SET ROLE ALL x", None),
        ("SET role = 1", None),
        ("SET @role = 1", None),
        ("SET DEFAULT ROLE ALL TO u", None),
        ("SELECT 1", None),
    ],
)  # fmt: skip
def test_a_set_role_does_to_the_role_what_mysql_says(sql, change):
    assert parse_set_role(sql) is change
