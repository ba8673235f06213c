"""The peppers that installation keys are hashed with: added, watched until nobody needs them, retired."""
