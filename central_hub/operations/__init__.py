"""What administrators ask of the hub."""
