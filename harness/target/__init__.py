"""The system under test: how it is started, supervised, read and stopped, behind the port in `harness.model.target`."""
