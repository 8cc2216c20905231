print('ACCEPTED')
import sys
sys.exit(0)
