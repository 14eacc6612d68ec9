"""The way to the model providers: one client an endpoint, its breaker, its retry budget."""
