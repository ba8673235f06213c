"""Who may come in with an installation key, and in which order that is found out."""
