"""What operators look at: names, figures of the day, alert and recording rules, dashboards."""
