"""Items of a source table by parallel Scan, never more read units than allowed; shared by the commands."""
