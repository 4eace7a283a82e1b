"""What the parts about the loader share: a server, tables and objects of rows."""
