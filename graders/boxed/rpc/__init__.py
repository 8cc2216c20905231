"""The connection between the tests' box (examiner) and the submission's box (candidate), with proxies at both ends.

How the call `solution.f(xs)` of a test crosses and comes back:

1. `proxies.py` (examiner) made the proxy for `f`: a real function, or an instance of a class of `proxy_classes.py`.
   Calling it calls `Connection.ask`. If the reference had plain values here, the proxy asks through `taken.py`.
2. `connection.py` (examiner) encodes the arguments: built-in values with `shared/encoding.py`, types that both boxes
   have with `shared_types.py`, everything else as a handle (`proxies.py`, `signatures.py`). It adds what changed since
   the last message in linked containers (`shared_containers.py`), in the process around the call (`ambient.py`) and in
   files (`shared_files.py`), and writes one message to descriptor 4.
3. `connection.py` (candidate) applies these changes, decodes the arguments, and `candidate/driver.py` makes the call.
4. The reply takes the same steps back: the value or the exception, the containers that the call changed, the output.
   Until it comes, the examiner serves the candidate's own requests, such as a callback; calls are strictly nested.
"""
