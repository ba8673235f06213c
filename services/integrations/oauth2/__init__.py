"""OAuth2 of instances: authorizations begun and completed, tokens kept and refreshed, connections given up (RFC 6749).

Token endpoints are asked in plain forms through the guarded egress: a library's client would bring its own HTTP, and
without that what is left of one is a form to encode and an object to read.
"""
