"""The parts of training: data order, loss, optimizer, checkpoints."""
