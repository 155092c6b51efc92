"""What passes between `warehouse` and `ml`, the only room that both import: it imports nothing of ours.

Files go one way (exports, evaluation sets, sentence sets, requests) and come back (result tables, run records). Their
names and schemas stand here, and the rules that both sides share: hashes, atomic writes, presets, how a token reads.
"""
