"""Task packages made from the files of published benchmarks."""
