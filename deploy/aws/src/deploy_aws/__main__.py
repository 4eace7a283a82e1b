"""`python -m deploy_aws`."""

from deploy_aws.main import cli

if __name__ == "__main__":
    cli()
