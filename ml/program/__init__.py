"""What the programs share: arguments, run folders, chunks, the frame of an evaluation."""
