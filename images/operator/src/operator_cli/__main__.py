"""Run the command line as `python -m operator_cli`, as the operator's image does."""

from operator_cli.main import main

if __name__ == "__main__":
    main()
