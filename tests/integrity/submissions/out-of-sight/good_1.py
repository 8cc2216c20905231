x = 1                                                                                          # a comment far to the right
