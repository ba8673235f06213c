"""What can be connected: the model of a definition, the rules that it is held to, and its life."""
