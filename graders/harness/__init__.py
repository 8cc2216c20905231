"""What runs inside the box on behalf of a grader. Sent there as files; standard library and the box's packages only."""
