import sys
sys.modules['o' + 's']
