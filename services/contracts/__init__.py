"""The law of contracts: what a change of a public document does to those who call and those who answer."""
