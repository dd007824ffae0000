"""Phones as their owners meet them: files for softphones, certificates, and the keys to the page in a browser.

Must not know Asterisk, the exchange or HTTP: who serves these is `phone_desk`, who prints them is
`commands.phone`.
"""
