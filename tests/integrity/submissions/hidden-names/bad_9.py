import operator, os
operator.attrgetter('sys' + 'tem')(os)('true')
