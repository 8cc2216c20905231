"""The line between the box of the tests and the box of the submission, and the proxies at its ends."""
