"""The author's workbench: try a package, measure how strong its tests are, write more of them."""
