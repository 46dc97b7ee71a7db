"""Envelopes in custody of the hub while their destination is away."""
