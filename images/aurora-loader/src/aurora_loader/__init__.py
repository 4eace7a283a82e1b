"""Load each object of rows into Aurora MySQL, once."""
