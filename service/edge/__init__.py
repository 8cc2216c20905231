"""What every HTTP request passes, to the API and to the pages alike: who it is from, what it may, how it fails."""
