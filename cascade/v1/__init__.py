"""Generated from proto/cascade/v1 by `make proto`: not to be edited."""
