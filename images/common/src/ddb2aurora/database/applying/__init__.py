"""
Rows into a target: the statements of each mode, and what stands in staging before they run.

Shared by the loader and by whoever makes a target anew, so that both come to the same rows by the same statements.
"""
