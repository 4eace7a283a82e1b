"""Services that run beside the pipeline on one machine: a private database server and the AWS emulator."""
