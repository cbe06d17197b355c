"""What happened: the vocabulary of events, and the facts that translators make of signals."""
