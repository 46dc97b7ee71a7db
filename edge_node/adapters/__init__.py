"""Adapters: what implements the edge's storage ports.

`memory` keeps everything in dictionaries (tests, simulation), `sqlite` in one file.  Both are opened to a `Store`,
pass the same contract tests (tests/contracts/edge), and only `edge_node.app` chooses between them.
"""
