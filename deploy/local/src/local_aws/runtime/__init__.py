"""Functions on one machine: in a process of their own, under the runtime emulator, or inside a test."""
