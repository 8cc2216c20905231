import collections, collections.abc
collections.Callable = collections.abc.Callable
