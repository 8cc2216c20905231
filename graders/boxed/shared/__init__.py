"""What every box gets: how values cross, the channel, where a submission is imported from."""
