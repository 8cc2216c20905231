"""`call` suites: functions called with hidden arguments."""
