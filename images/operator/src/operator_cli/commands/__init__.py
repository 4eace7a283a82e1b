"""The commands of the operator's command line, a module each."""
