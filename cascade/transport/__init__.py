"""The impure corner of the cascade: links over gRPC with mutual TLS, and nothing else."""
