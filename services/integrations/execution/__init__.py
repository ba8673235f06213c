"""Methods of integrations, executed: built, guarded, sent, and their answers read."""
