"""What operators do: back up and restore, shift traffic, switch features. Each is a program that a runbook names."""
