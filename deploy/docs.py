"""Write the pages of docs/ that are made from code: `make docs`. A test compares them with what is committed."""

from pathlib import Path

from ddb2aurora.metrics import METRICS, NAMESPACE
from deploy_aws.costs.cost_page import cost_page
from deploy_aws.costs.prices import read_measured, read_prices
from deploy_aws.costs.scaling_page import scaling_page
from deploy_aws.parameters_page import parameters_page
from deploy_aws.templates import read_templates

DOCS = Path(__file__).parent.parent / "docs"
IMAGES = Path(__file__).parent.parent / "images"
AWS = Path(__file__).parent / "aws"


def metrics_page() -> str:
    """Return docs/metrics.md."""
    rows = [f"| `{name}` | {found.stage} | {found.unit} | {found.meaning} |" for name, found in METRICS.items()]
    return "\n".join(
        [
            "# Metrics",
            "",
            f"Made by `make docs`. Namespace `{NAMESPACE}` unless `METRICS_NAMESPACE` says another (on AWS, where each",
            "deployment has that of its name, such as `ddb2aurora-dev-web-analytics`), dimensions `Stage` and",
            "`Pipeline`, in CloudWatch's embedded metric format on standard output. Nothing else can be emitted.",
            "",
            "| metric | stage | unit | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def costs() -> str:
    """Return docs/cost.md."""
    return cost_page(read_prices(AWS / "prices.toml"), read_measured(AWS / "measured.toml"))


def scaling() -> str:
    """Return docs/scaling.md."""
    return scaling_page(read_measured(AWS / "measured.toml"))


def parameters() -> str:
    """Return docs/parameters.md."""
    return parameters_page(read_templates(), stages=[file.parent.name for file in IMAGES.glob("*/Dockerfile")])


PAGES = {"parameters.md": parameters, "metrics.md": metrics_page, "cost.md": costs, "scaling.md": scaling}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
