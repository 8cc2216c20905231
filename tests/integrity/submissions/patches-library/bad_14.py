import sys
sys.modules['json'].dumps = str
