"""How graders are found, fenced and tried."""
