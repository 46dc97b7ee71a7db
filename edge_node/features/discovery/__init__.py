"""Service discovery (XEP-0030), and what stands for it in stream features (XEP-0115)."""
