"""Asterisk: ARI, AMI and FastAGI as bytes; typed facts and commands to the rest."""
