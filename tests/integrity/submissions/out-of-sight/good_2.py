s = 'a                                                                                                    b'
