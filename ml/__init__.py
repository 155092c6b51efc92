"""Train, score words, trace layers. Reads export folders, writes result files; never opens the warehouse."""
