"""What grows while the rest stays: tables, objects, loaders, tombstones, events."""
