from pathlib import Path
Path('report.xml').write_text('<testsuites/>')
