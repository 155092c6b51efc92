"""Word translation: evaluation sets, prompts, shots, scores."""
