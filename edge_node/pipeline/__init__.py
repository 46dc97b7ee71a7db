"""The ways of messages and IQs through the edge, and the features that take part in them."""
