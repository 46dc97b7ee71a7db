"""What an edge node can do: one module or package for each capability, each a value (`edge_node.pipeline.feature`)."""
