"""The reference pages at `/docs`: made on this server from the contracts' snapshots, whole without a network."""
