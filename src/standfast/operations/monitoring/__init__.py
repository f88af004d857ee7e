"""Monitoring: vantages probe on a fixed grid and report; the detector decides by quorum what is down."""
