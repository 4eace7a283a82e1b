"""Make a target anew from the source records under `backup/`, beside the live one, and switch to it."""
