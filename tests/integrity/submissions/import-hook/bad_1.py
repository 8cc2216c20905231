import sys, types
sys.modules['reference'] = types.ModuleType('reference')
