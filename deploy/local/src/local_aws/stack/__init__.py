"""The whole path on one machine: services, stand-ins and functions put together."""
